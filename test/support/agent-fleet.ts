import assert from 'node:assert/strict';
import type { TestRouter } from './start-router.ts';
import { until } from './until.ts';

// A router's view of the nodes that agents brought.

interface ShownNode {
  readonly id: string;
  readonly state: string;
  readonly detail: string | null;
  readonly url: string;
  readonly agent: { readonly tunnel: string; readonly machine: { readonly cpus: number } | null } | null;
}

/** Null where there is no node of that name. */
export async function shownNode(router: Pick<TestRouter, 'admin'>, name: string): Promise<ShownNode | null> {
  const answer = await router.admin(`/api/nodes/${name}`);
  const shown: ShownNode = Object(await answer.json());
  return answer.ok ? shown : null;
}

/** Resolves with the node when it is in that state. */
export function nodeIs(router: Pick<TestRouter, 'admin'>, name: string, state: string): Promise<ShownNode> {
  let node: ShownNode | null = null;
  return until(
    async () => {
      node = await shownNode(router, name);
      return node?.state === state && node;
    },
    { what: () => `node ${name} to be ${state}; it is ${JSON.stringify(node)}`, withinMs: 20_000 },
  );
}

export async function newToken(
  router: Pick<TestRouter, 'admin'>,
  more: object = {},
): Promise<{ readonly id: string; readonly token: string }> {
  const answer = await router.admin('/api/tokens', {
    method: 'POST',
    body: JSON.stringify({ label: 'test', ...more }),
  });
  assert.equal(answer.status, 201);
  return Object(await answer.json());
}

/** Resolves when clients are offered that model: a little after the control plane knows of it. */
export async function offered(url: string, model: string): Promise<void> {
  const listed = async (): Promise<boolean> => (await (await fetch(`${url}/v1/models`)).text()).includes(`"${model}"`);
  await until(listed, { what: `the model ${model} to be offered`, withinMs: 10_000 });
}
