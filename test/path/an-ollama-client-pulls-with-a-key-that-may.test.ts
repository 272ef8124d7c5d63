import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ollama } from 'ollama';
import { at } from '../support/json-path.ts';
import { type OllamaPull, scriptedOllama } from '../support/scripted-ollama.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { nodeSettings, startRouter, type TestRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';

// Longer than the test: only a look for a reason of its own can be the one that finds the model.
const health = { intervalMs: 600_000, timeoutMs: 2000 };

async function clientWith(router: TestRouter, key: object): Promise<Ollama> {
  const made = await router.adminJson('/api/keys', { method: 'POST', body: JSON.stringify({ label: 'ops', ...key }) });
  return new Ollama({ host: router.url, headers: { authorization: `Bearer ${String(at(made, 'key'))}` } });
}

async function models(client: Ollama): Promise<readonly string[]> {
  return (await client.list()).models.map(({ name }) => name);
}

test('the official client pulls a model with progress, and the fleet has it at once; deletions too', async () => {
  const began = Promise.withResolvers<OllamaPull>();
  await using ollama = await scriptedOllama({
    disk: { 'llama3:latest': 1 },
    onPull: (pull) => began.resolve(pull),
    paths: {
      '/api/delete': (request, { response }) => {
        ollama.disk.delete(String(at(request.json(), 'name')));
        response.end();
      },
    },
  });
  const dataDir = temporaryDirectory();
  await using router = await startRouter({ dataDir, health, nodes: [nodeSettings('gpu-1', ollama.url)] });
  await router.settled;
  const client = await clientWith(router, { mayManage: true });
  assert.deepEqual(await models(client), ['llama3:latest']);

  const answer = client.pull({ model: 'qwen3:8b', stream: true });
  const pull = await began.promise;
  pull.progress(300, 1000);
  const progress = await answer;
  const seen: unknown[] = [];
  for await (const { status, completed } of progress) {
    seen.push([status, completed]);
    // The next line is sent when this one has arrived.
    if (seen.length === 1) pull.succeed();
  }
  assert.deepEqual(seen, [
    ['pulling 6a0746a1ec1a', 300],
    ['success', undefined],
  ]);
  await until(async () => (await models(client)).includes('qwen3:8b'), { what: 'the pulled model in the list' });
  await client.delete({ model: 'llama3:latest' });
  await until(async () => (await models(client)).length === 1, { what: 'the deleted model gone' });

  const database = new DatabaseSync(join(dataDir, 'weir.db'), { readOnly: true });
  const rows = database.prepare("SELECT action, detail FROM audit WHERE action LIKE 'model.%' ORDER BY id").all();
  database.close();
  assert.deepEqual(
    rows.map(({ action, detail }) => {
      const noted: unknown = JSON.parse(String(detail));
      return [action, at(noted, 'name'), at(noted, 'models', 0), at(noted, 'key', 'label'), at(noted, 'end')];
    }),
    [
      ['model.pull', 'gpu-1', 'qwen3:8b', 'ops', 'complete'],
      ['model.delete', 'gpu-1', 'llama3:latest', 'ops', 'complete'],
    ],
  );
  const paths = (await router.adminList('/api/requests')).map((request) => at(request, 'path'));
  assert.ok(paths.includes('/api/pull') && paths.includes('/api/delete'), String(paths));
});

test('the official client is told why where its key may not, and its abort ends the pull at the node', async () => {
  const began = Promise.withResolvers<OllamaPull>();
  await using ollama = await scriptedOllama({ onPull: (pull) => began.resolve(pull) });
  await using router = await startRouter({ health, nodes: [nodeSettings('gpu-1', ollama.url)] });
  await router.settled;
  const plain = await clientWith(router, {});
  await assert.rejects(plain.pull({ model: 'qwen3:8b' }), (error) => {
    assert.equal(at(error, 'status_code'), 403);
    assert.match(String(error), /unless their key may/);
    return true;
  });
  assert.equal(ollama.pulls.length, 0);

  const client = await clientWith(router, { mayManage: true });
  const progress = client.pull({ model: 'qwen3:8b', stream: true });
  const pull = await began.promise;
  pull.say({ status: 'pulling manifest' });
  const stream = await progress;
  await assert.rejects(async () => {
    for await (const { status } of stream) {
      assert.equal(status, 'pulling manifest');
      stream.abort();
    }
  }, /abort/i);
  await pull.gone;
});
