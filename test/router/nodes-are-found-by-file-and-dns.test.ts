import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { at, listAt } from '../support/json-path.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { startWeir, type Weir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

async function nodesOf(weir: Weir): Promise<readonly unknown[]> {
  return listAt(await (await weir.admin('/api/nodes')).json(), 'data');
}

/** Resolves when the nodes there are, ready ones, are these: name and where they were found. */
async function nodesAre(weir: Weir, wanted: readonly string[]): Promise<void> {
  let found: readonly string[] = [];
  await until(
    async () => {
      found = (await nodesOf(weir))
        .filter((node) => at(node, 'state') === 'ready')
        .map((node) => `${String(at(node, 'name'))} ${String(at(node, 'foundBy'))}`);
      return found.toSorted().join() === wanted.join();
    },
    { what: () => `${wanted.join(', ')}; there are: ${found.join(', ')}\n${weir.output()}`, withinMs: 15_000 },
  );
}

test('the nodes of a watched file come and go with it, and a broken one changes nothing', async () => {
  await using one = await scriptedNode({ models: ['one'] });
  await using two = await scriptedNode({ models: ['two'] });
  const file = join(temporaryDirectory(), 'nodes.json');
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  // The program that keeps it is slower than the router.
  const weir = await startWeir({ discovery: { enabled: false, file } });
  assert.match(weir.output(), /warning: discovery\.file: there is no .*nodes\.json yet/);
  assert.deepEqual(await nodesOf(weir), []);

  const entry = { name: 'a', url: one.url, maxConcurrent: 2 };
  write(JSON.stringify([entry]));
  await nodesAre(weir, ['a file']);
  const id = at((await nodesOf(weir))[0], 'id');
  write(
    JSON.stringify([
      { ...entry, maxConcurrent: 5 },
      { name: 'b', url: two.url },
    ]),
  );
  await nodesAre(weir, ['a file', 'b file']);
  const changed = (await nodesOf(weir)).find((node) => at(node, 'name') === 'a');
  assert.deepEqual([at(changed, 'id'), at(changed, 'slots')], [id, 5]);
  const refusal = await weir.admin('/api/nodes/a', { method: 'DELETE' });
  assert.equal(refusal.status, 409);
  assert.match(await refusal.text(), /discovery\.file/);

  write('[{ "name": "a" }');
  const settings = async (): Promise<unknown> => (await weir.admin('/api/settings')).json();
  await until(async () => /nodes\.json/.test(String(listAt(await settings(), 'lastChange', 'problems')[0])), {
    what: 'the broken file to be told',
    withinMs: 15_000,
  });
  await nodesAre(weir, ['a file', 'b file']);
  rmSync(file);
  await until(
    async () => /check the path of discovery\.file/.test(JSON.stringify(at(await settings(), 'lastChange'))),
    {
      what: 'the file that is gone to be told',
      withinMs: 15_000,
    },
  );
  await nodesAre(weir, ['a file', 'b file']);
  write(JSON.stringify({ nodes: [{ name: 'b', url: two.url }] }));
  await nodesAre(weir, ['b file']);
  assert.equal(await weir.stop(), 0);
});

test('the addresses of a name are nodes until its entry is removed, and a configured node goes before them', async () => {
  await using node = await scriptedNode();
  const dns = [{ name: 'localhost', port: node.port, engine: 'openai', tags: ['found'] }];
  const weir = await startWeir({ discovery: { enabled: false, dns } });
  // Ready means that the nodes of every name were looked at: a request need not wait.
  const answer = await fetch(`${weir.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hi' }] }),
  });
  assert.equal(answer.status, 200);
  const found = `localhost-127.0.0.1-${node.port} dns localhost:${node.port}`;
  await nodesAre(weir, [found]);
  weir.configure({ discovery: { enabled: false, dns }, nodes: [{ name: 'mine', url: node.url }] });
  await nodesAre(weir, ['mine null']);
  weir.configure({ discovery: { enabled: false } });
  await nodesAre(weir, []);
  assert.equal(await weir.stop(), 0);
});
