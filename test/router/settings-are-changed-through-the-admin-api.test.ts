import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt } from '../support/json-path.ts';
import { startWeir, type Weir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

async function put(weir: Weir, body: object): Promise<{ readonly status: number; readonly json: unknown }> {
  const answer = await weir.admin('/api/settings', { method: 'PUT', body });
  return { status: answer.status, json: await answer.json() };
}

function sourceOf(settings: unknown, path: string): unknown {
  return at(
    listAt(settings, 'sources').find((each) => at(each, 'path') === path),
    'source',
  );
}

test('what is set here goes before the file, is kept over restarts, and is taken back with null', async () => {
  const config = { queue: { maxWaiters: 100 }, cors: { origins: ['https://a.example'] } };
  const weir = await startWeir(config);
  const set = await put(weir, { queue: { maxWaiters: 20, timeout: '5s' }, cors: { origins: ['https://b.example'] } });
  assert.equal(set.status, 200, JSON.stringify(set.json));
  assert.deepEqual(at(set.json, 'queue', 'maxWaiters'), 20);
  assert.deepEqual(listAt(set.json, 'cors', 'origins'), ['https://b.example']);
  assert.deepEqual([sourceOf(set.json, 'queue.maxWaiters'), sourceOf(set.json, 'queue.maxBytes')], ['api', 'default']);
  const page = await fetch(`${weir.url}/healthz`, { headers: { origin: 'https://b.example' } });
  assert.equal(page.headers.get('access-control-allow-origin'), 'https://b.example');

  // A file that says otherwise does not undo it.
  weir.configure({ ...config, queue: { maxWaiters: 300 } });
  await until(async () => at(await (await weir.admin('/api/settings')).json(), 'lastChange', 'by') === 'file', {
    what: 'the file to be read anew',
  });
  const dataDir = String(at(await (await weir.admin('/api/settings')).json(), 'dataDir'));
  const after = await startedAgain(weir, { ...config, queue: { maxWaiters: 300 }, dataDir });
  const kept = await (await after.admin('/api/settings')).json();
  assert.deepEqual([at(kept, 'queue', 'maxWaiters'), at(kept, 'queue', 'timeoutMs')], [20, 5000]);

  const back = await put(after, { queue: { maxWaiters: null } });
  assert.deepEqual([at(back.json, 'queue', 'maxWaiters'), at(back.json, 'queue', 'timeoutMs')], [300, 5000]);
  assert.match(String(sourceOf(back.json, 'queue.maxWaiters')), /^file:/);
  const audit = await (await after.admin('/api/audit?action=settings.change')).json();
  assert.deepEqual(
    listAt(audit, 'data').map((row) => at(row, 'detail')),
    [
      { 'queue.maxWaiters': null },
      { 'queue.maxWaiters': '20', 'queue.timeout': '5s', 'cors.origins': ['https://b.example'] },
    ],
  );
  assert.equal(await after.stop(), 0);
});

test('what cannot be, what is unsafe and what needs a restart is refused, and nothing of it is set', async () => {
  const weir = await startWeir();
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ queue: { maxWaiters: 5, timeout: 'soon' } }, /queue\.timeout.*soon/],
    [{ queue: { maxWaitres: 5 } }, /queue\.maxWaitres: unknown; did you mean queue\.maxWaiters\?/],
    [{ listen: '0.0.0.0:1' }, /listen: cannot be set through the admin API/],
    [{ admin: { token: 'hush-hush' } }, /admin\.token: cannot be set/],
    [{ providers: { openai: { apiKey: 'sk' } } }, /providers\.openai\.apiKey: cannot be set/],
    [{ discovery: { file: '/etc/hosts' } }, /^discovery\.file: cannot be set through the admin API; [^;]*$/],
    [{ nodes: [{}] }, /nodes: holds something that is not one value/],
    [{ cors: { origins: ['*'] } }, /cors\.origins.*while clients need no keys/],
  ];
  for (const [body, expected] of cases) {
    const { status, json } = await put(weir, body);
    assert.equal(status, 400, JSON.stringify(json));
    assert.match(String(at(json, 'error', 'message')), expected);
  }
  const settings = await (await weir.admin('/api/settings')).json();
  assert.deepEqual([at(settings, 'queue', 'maxWaiters'), listAt(settings, 'cors', 'origins')], [1024, []]);
  assert.equal(await weir.stop(), 0);
});

async function startedAgain(weir: Weir, config: object): Promise<Weir> {
  assert.equal(await weir.stop(), 0);
  return startWeir(config);
}
