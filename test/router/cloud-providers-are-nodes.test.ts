import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolOf } from '../../src/data-plane/attempt/node-request.ts';
import { type FakeProvider, fakeProvider, PROVIDER_KEY } from '../support/fake-provider.ts';
import { settingsFrom } from '../support/load-config.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startRouter, type TestRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';

function yamlOf(providers: readonly FakeProvider[], more = ''): string {
  const entries = providers.map(({ kind, baseUrl }) => `  ${kind}: { apiKey: "\${SECRET}", baseUrl: "${baseUrl}" }`);
  return `providers:\n${entries.join('\n')}\n${more}`;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

async function historyOf(router: TestRouter): Promise<readonly unknown[]> {
  let rows: readonly unknown[] = [];
  await until(async () => (rows = await router.adminList('/api/requests')).length > 0, { what: 'a row of history' });
  return rows;
}

test('the providers behind the three prefixes are reached over the shared client, each on one reused socket', async (t) => {
  await using openai = await fakeProvider('openai', { https: true });
  await using google = await fakeProvider('google');
  await using anthropic = await fakeProvider('anthropic');
  const providers = [openai, google, anthropic];
  const { nodes } = await settingsFrom(t, { yaml: yamlOf(providers), env: { SECRET: PROVIDER_KEY } });
  const trusting = nodes.map((node) => Object.assign({ tls: { verify: false } }, node));
  await using router = await startRouter({ nodes: trusting });
  await router.settled;
  for (const { kind } of providers) {
    for (const stream of [false, true, false]) {
      const answer = await router.chat({ model: `${kind}:some-model`, stream });
      assert.match(await answer.text(), /Hello/, kind);
      assert.equal(answer.status, 200, kind);
    }
  }
  const { httpClient, dataPlane } = router.app;
  for (const { kind, requests } of providers) {
    const node = dataPlane.snapshot.nodes.find((each) => each?.provider === kind);
    assert.ok(node);
    assert.deepEqual(httpClient.sockets(poolOf(node)), { idle: 1, busy: 0, opened: 1 }, kind);
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['GET', 'POST', 'POST', 'POST'],
      `${kind} was asked once for its models`,
    );
  }
});

test('an administrator sees a provider as a node, may drain and not change it, and never sees its key', async (t) => {
  await using openai = await fakeProvider('openai');
  const settings = await settingsFrom(t, { yaml: yamlOf([openai]), env: { SECRET: PROVIDER_KEY } });
  await using router = await startRouter({ nodes: settings.nodes });
  await router.settled;
  assert.equal((await router.chat({ model: 'openai:gpt-x' })).status, 200);
  const [node] = await router.adminList('/api/nodes');
  const shown = ['name', 'provider', 'managedBy', 'engine', 'slots', 'state', 'apiKey', 'models'];
  assert.deepEqual(
    shown.map((name) => field(node, name)),
    ['openai', 'openai', 'config', 'openai', 64, 'ready', '***', []],
  );
  assert.equal((await router.admin('/api/nodes/openai', { method: 'DELETE' })).status, 409);
  const change = { method: 'PUT', body: JSON.stringify({ url: 'http://127.0.0.1:1' }) };
  assert.equal((await router.admin('/api/nodes/openai', change)).status, 409);

  const [row] = await historyOf(router);
  assert.deepEqual([field(row, 'model'), field(row, 'servedModel')], ['openai:gpt-x', 'openai:gpt-x']);
  const pages = ['/api/nodes', '/api/settings', '/api/stats', '/api/requests', '/api/logs', '/metrics'];
  const told = await Promise.all(pages.map(async (path) => (await router.admin(path)).text()));
  assert.ok(!told.join().includes(PROVIDER_KEY));
  assert.match(told.at(-1) ?? '', /weir_requests_total\{model="openai:\*",outcome="served"\} 1/);

  assert.equal((await router.admin('/api/nodes/openai/drain', { method: 'POST' })).status, 200);
  const answer = await router.chat({ model: 'openai:gpt-x' }, { headers: { 'x-weir-max-wait-ms': '0' } });
  assert.equal(answer.status, 503);
});

for (const threads of [1, 2]) {
  test(`a model of one’s own that is away is stood in for by a provider, and the history says by what (threads: ${threads})`, async (t) => {
    const gone = await scriptedNode();
    await gone.close();
    await using openai = await fakeProvider('openai');
    const yaml = yamlOf(
      [openai],
      `nodes: [{ name: own, url: "${gone.url}", models: [llama3] }]\naliases: { fast: [llama3, "openai:gpt-x"] }\n`,
    );
    const { nodes, aliases } = await settingsFrom(t, { yaml, env: { SECRET: PROVIDER_KEY } });
    await using router = await startRouter({ nodes, aliases, threads });
    const answer = await router.chat({ model: 'fast' });
    assert.match(await answer.text(), /"model":"fast".*Hello from a node/);
    const [row] = await historyOf(router);
    assert.deepEqual([field(row, 'model'), field(row, 'servedModel')], ['fast', 'openai:gpt-x']);
    const detail = await router.adminJson(`/api/requests/${String(field(row, 'id'))}`);
    const attempts = field(detail, 'attempts');
    assert.ok(Array.isArray(attempts));
    assert.deepEqual(
      attempts.map((attempt) => [field(attempt, 'nodeName'), field(attempt, 'model'), field(attempt, 'end')]),
      [['openai', 'openai:gpt-x', 'complete']],
    );
  });
}

test('a provider that refuses the key at the start is shown as misconfigured, and its requests are told so in time', async (t) => {
  await using openai = await fakeProvider('openai');
  const { nodes } = await settingsFrom(t, { yaml: yamlOf([openai]), env: { SECRET: 'a-wrong-key-of-theirs' } });
  await using router = await startRouter({ nodes });
  await router.settled;
  const [node] = await router.adminList('/api/nodes');
  assert.equal(field(node, 'state'), 'misconfigured');
  const answer = await router.chat({ model: 'openai:gpt-x' }, { headers: { 'x-weir-max-wait-ms': '0' } });
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /no_ready_node/);
});
