import { DataPlane } from '../../src/data-plane/data-plane.ts';
import { listenForClients } from '../../src/data-plane/http/server.ts';
import {
  canonicalModel,
  type EngineKind,
  type NodeState,
  prefixOf,
  type ProviderName,
} from '../../src/fleet/glossary.ts';
import type { ToControlPlane } from '../../src/fleet/messages.ts';
import type { Settlement } from '../../src/fleet/settlement.ts';
import { unpackSettlements } from '../../src/fleet/settlement-batch.ts';
import type { NodeTimeouts, NodeTls, Settings } from '../../src/fleet/settings.ts';
import type { FleetSnapshot, KeySnapshot, ModelOffer, ModelSnapshot, NodeSnapshot } from '../../src/fleet/snapshot.ts';
import { createHttpClient } from '../../src/http-client/http-client.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { type DeepPartial, testSettings } from './settings.ts';
import { until } from './until.ts';

// A data plane on a real port with a fleet told by the test in place of a control plane: what the corridor does, without
// the second or two that processes, probes and databases take.

export interface TestNode {
  readonly url: string;
  readonly name?: string;
  readonly slots?: number;
  /** Public name → the engine's own. Default `{ llama3: 'llama3' }`. */
  readonly models?: Readonly<Record<string, string>>;
  readonly engine?: EngineKind;
  /** It serves every model of that prefix; its engine is called the same, and of `models` it has none by itself. */
  readonly provider?: ProviderName;
  readonly tls?: NodeTls;
  readonly state?: NodeState;
  readonly draining?: boolean;
  readonly ready?: boolean;
  readonly apiKey?: string;
  readonly generation?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: NodeTimeouts;
}

export interface TestDataPlane extends AsyncDisposable {
  readonly url: string;
  readonly plane: DataPlane;
  readonly settlements: readonly Settlement[];
  readonly messages: readonly ToControlPlane[];
  /** Replaces the fleet. */
  publish(nodes: readonly (TestNode | null)[], more?: Partial<FleetSnapshot>): void;
  /** A chat request as a client sends it. */
  chat(body?: object, init?: RequestInit): Promise<Response>;
  /** The settlements, once there are `count` and nothing is open any more: no request, lease, waiter or waiting byte. */
  settled(count: number): Promise<readonly Settlement[]>;
}

export async function startDataPlane(
  nodes: readonly (TestNode | null)[],
  overrides: DeepPartial<Settings> = {},
  {
    clock = systemClock,
    keys = [],
    settled = true,
  }: {
    clock?: Clock;
    keys?: readonly (readonly [string, KeySnapshot])[];
    /** Of the first snapshot. */
    settled?: boolean;
  } = {},
): Promise<TestDataPlane> {
  const settings = testSettings(overrides);
  const httpClient = createHttpClient(settings.pool, systemClock);
  const settlements: Settlement[] = [];
  const messages: ToControlPlane[] = [];
  const plane = new DataPlane({
    settings,
    clock,
    httpClient,
    random: Math.random,
    post: (message) => {
      messages.push(message);
      if (message.kind === 'settlements') settlements.push(...unpackSettlements(message.settlements));
      return true;
    },
  });
  let version = 0;
  const publish: TestDataPlane['publish'] = (published, more = {}) => {
    version += 1;
    plane.replaceSnapshot({ ...snapshotOf(published, version), keys: new Map(keys), ...more });
  };
  publish(nodes, { settled });
  const server = await listenForClients(settings, (request, response) => plane.handle(request, response));
  return {
    url: server.url,
    plane,
    settlements,
    messages,
    publish,
    chat: (body = {}, init = {}) =>
      fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hello' }], ...body }),
        ...init,
      }),
    settled: async (count) => {
      await until(() => isIdle(plane) && settlements.length >= count, {
        what: () => `${count} settlements and idle gauges; there are ${settlements.length} and ${gaugesText(plane)}`,
      });
      return settlements;
    },
    [Symbol.asyncDispose]: async () => {
      server.destroy();
      await plane.drain(0);
      await server.close();
      httpClient.close();
    },
  };
}

function isIdle(plane: DataPlane): boolean {
  plane.settlements.flush();
  const { openLeases, waiters, waitingBytes, openRequests, nodes } = plane.gauges();
  const taken = nodes.reduce((sum, node) => sum + node.taken, 0);
  return openLeases + waiters + waitingBytes + openRequests + taken === 0;
}

function gaugesText(plane: DataPlane): string {
  const { openLeases, waiters, waitingBytes, openRequests } = plane.gauges();
  return JSON.stringify({ openLeases, waiters, waitingBytes, openRequests });
}

function snapshotOf(nodes: readonly (TestNode | null)[], version: number): FleetSnapshot {
  const offers = new Map<string, ModelOffer[]>();
  const registered = nodes.map((node, index): NodeSnapshot | null => {
    if (node === null) return null;
    const { provider } = node;
    if (provider) offers.set(prefixOf(provider), [{ node: index, upstream: '', ready: true, slots: null }]);
    for (const [name, upstream] of Object.entries(node.models ?? (provider ? {} : { llama3: 'llama3' }))) {
      const model = canonicalModel(name);
      const offer: ModelOffer = { node: index, upstream, ready: node.ready ?? true, slots: null };
      offers.set(model, [...(offers.get(model) ?? []), offer]);
    }
    return {
      index,
      generation: node.generation ?? 1,
      id: `node-${index}`,
      name: node.name ?? `canary-node-${index}`,
      baseUrl: node.url,
      engine: node.engine ?? provider ?? 'openai',
      ...(provider ? { provider } : {}),
      state: node.state ?? 'ready',
      draining: node.draining ?? false,
      slots: node.slots ?? 4,
      apiKey: node.apiKey ?? null,
      headers: node.headers ?? {},
      tls: node.tls ?? null,
      timeouts: node.timeouts ?? {},
      probes: version,
    };
  });
  const models = new Map<string, ModelSnapshot>(
    Array.from(offers, ([name, list]) => [
      name,
      { name, offers: list, firstSeenAt: 0, ...(list[0]?.upstream === '' ? { isPrefix: true } : {}) },
    ]),
  );
  return { version, settled: true, nodes: registered, models, keys: new Map() };
}

/** Hex SHA-256 of a key beside what it may do. */
export function testKey(hash: string, more: Partial<KeySnapshot> = {}): readonly [string, KeySnapshot] {
  const key: KeySnapshot = {
    id: 'key-1',
    label: 'test',
    expiresAt: null,
    models: null,
    weight: 1,
    maxConcurrent: null,
    ratePerMinute: null,
    maxPriority: 'normal',
    maxDeadlineMs: null,
    mayManage: false,
    resume: true,
  };
  return [hash, { ...key, ...more }];
}
