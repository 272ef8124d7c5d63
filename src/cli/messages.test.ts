import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsFrom } from '../../test/support/load-config.ts';
import { nodesText, problemsText, startedText, startFailedText, stoppingText } from './messages.ts';

const listening = {
  clientUrl: 'http://127.0.0.1:9347',
  adminUrl: 'http://127.0.0.1:9348',
  agentsUrl: null,
  adminToken: null,
};

test('a start says where clients and administrators connect, ready to copy', async (t) => {
  const settings = await settingsFrom(t, {});
  assert.equal(
    startedText('1.2.3', listening, settings, null),
    `weir 1.2.3
  clients  http://127.0.0.1:9347    OPENAI_BASE_URL=http://127.0.0.1:9347/v1 OPENAI_API_KEY=none
  admin    http://127.0.0.1:9348
`,
  );
});

test('a new admin token is shown with where it is kept', async (t) => {
  const settings = await settingsFrom(t, {});
  const text = startedText('1.2.3', { ...listening, agentsUrl: null, adminToken: 'tok-1' }, settings, 'weir.yaml');
  assert.match(text, /^weir 1\.2\.3 \(configuration: weir\.yaml\)\n/);
  assert.match(text, /token {4}tok-1 .*shown only now, kept in \/home\/tester\/\.weir\)/);
});

test('where clients need a key the start says how to get one', async (t) => {
  const settings = await settingsFrom(t, { flags: { listen: '0.0.0.0:9347' } });
  const text = startedText('1.2.3', listening, settings, null);
  assert.match(text, /Clients need a key/);
  assert.doesNotMatch(text, /OPENAI_API_KEY/);
});

test('an address to copy is one that can be dialled', async (t) => {
  const settings = await settingsFrom(t, { flags: { listen: '0.0.0.0:9347' } });
  const everywhere = {
    clientUrl: 'http://0.0.0.0:9347',
    adminUrl: 'http://[::]:9348',
    agentsUrl: null,
    adminToken: null,
  };
  assert.match(
    startedText('1', everywhere, settings, null),
    /clients {2}http:\/\/0\.0\.0\.0:9347 .*URL=http:\/\/127\.0\.0\.1:9347\/v1/,
  );
  assert.match(nodesText([], everywhere.adminUrl, false), /POST http:\/\/\[::1\]:9348\/api/);
});

test('the nodes found are listed with what they are', () => {
  const nodes = [
    { name: 'gpu-1', url: 'http://10.0.0.5:8000', engine: 'vllm', state: 'ready', models: 1 },
    { name: 'a', url: 'http://10.0.0.6:8000', engine: 'openai', state: 'offline', models: 0 },
  ];
  assert.equal(
    nodesText(nodes, listening.adminUrl, true),
    `2 nodes, 1 ready:
  gpu-1  http://10.0.0.5:8000  vllm, ready, 1 model
  a      http://10.0.0.6:8000  openai, offline
`,
  );
  assert.match(nodesText(nodes.slice(1), listening.adminUrl, true), /1 node, 0 ready:[^]*keeps probing/);
});

test('without any engine the three ways to add one are named, and the demonstration where there is one', () => {
  const text = nodesText([], listening.adminUrl, true);
  assert.match(text, /--node http:/);
  assert.match(text, /nodes:\n/);
  assert.match(text, /curl -X POST http:\/\/127\.0\.0\.1:9348\/api\/nodes -H "Authorization: Bearer TOKEN"/);
  assert.match(text, /npm run demo/);
  assert.doesNotMatch(nodesText([], listening.adminUrl, false), /demo/);
});

test('a failed start is one sentence without a stack', () => {
  assert.equal(startFailedText(new Error('the port is taken\n    at x')), 'weir could not start: the port is taken\n');
  assert.equal(startFailedText('why'), 'weir could not start: why\n');
});

test('problems are counted and the drain is announced', () => {
  assert.equal(problemsText(['a: b']), 'The configuration has a problem:\n  a: b\n');
  assert.equal(problemsText(['a', 'b']), 'The configuration has 2 problems:\n  a\n  b\n');
  assert.match(stoppingText('SIGTERM', 30_000), /^SIGTERM: .* at most 30 s;/);
});
