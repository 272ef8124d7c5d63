import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../src/lib/clock.ts';
import { until } from '../../../test/support/until.ts';
import { record } from '../generation.ts';
import { startSimulatedEngine } from '../simulated-engine.ts';

const FAST = { timeScale: 50 } as const;

async function get(url: string): Promise<Record<string, unknown>> {
  return record(await (await fetch(url)).json());
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
}

async function lines(response: Response): Promise<Record<string, unknown>[]> {
  return (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => record(JSON.parse(line)));
}

test('Ollama streams NDJSON by default and closes with counts and durations', async () => {
  await using engine = await startSimulatedEngine({ ...FAST, kind: 'ollama', models: ['llama3'] });
  const body = { model: 'llama3:latest', messages: [{ role: 'user', content: 'say: one two three' }] };
  const response = await post(`${engine.url}/api/chat`, body);
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const answer = await lines(response);
  assert.deepEqual(
    answer.map((line) => record(line['message'])['content']),
    ['one', ' two', ' three', ''],
  );
  assert.deepEqual(
    answer.map(({ done }) => done),
    [false, false, false, true],
  );
  const end = answer.at(-1) ?? {};
  assert.deepEqual([end['done_reason'], end['eval_count'], end['model']], ['stop', 3, 'llama3:latest']);
  assert.ok(Number(end['total_duration']) > 0);

  const whole = record(
    await (
      await post(`${engine.url}/api/generate`, {
        model: 'llama3',
        prompt: 'say: a b',
        stream: false,
        options: { num_predict: 1 },
      })
    ).json(),
  );
  assert.deepEqual([whole['response'], whole['done'], whole['done_reason']], ['a', true, 'length']);
  const { embeddings } = await get(`${engine.url}/api/version`).then(async () =>
    record(await (await post(`${engine.url}/api/embed`, { model: 'llama3', input: ['x', 'y'] })).json()),
  );
  assert.equal(Array.isArray(embeddings) && embeddings.length, 2);
});

test('Ollama calls tools in its own form and says what it does not have', async () => {
  await using engine = await startSimulatedEngine({ ...FAST, kind: 'ollama' });
  const tools = [{ type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } }];
  const messages = [{ role: 'user', content: 'use now please' }];
  const answer = await lines(await post(`${engine.url}/api/chat`, { model: 'llama3', messages, tools }));
  assert.deepEqual(record(answer[0]?.['message'])['tool_calls'], [{ function: { name: 'now', arguments: {} } }]);
  const missing = await post(`${engine.url}/api/chat`, { model: 'other', messages });
  assert.deepEqual([missing.status, await missing.json()], [404, { error: "model 'other' not found" }]);
  assert.equal((await post(`${engine.url}/api/chat`, 'nonsense')).status, 400);
});

test('Ollama sends no headers until a cold model is in memory, and unloads one on keep_alive 0', async () => {
  const clock = new ManualClock();
  await using engine = await startSimulatedEngine({ kind: 'ollama', clock, cold: true, loadMs: 5000 });
  let headAt: number | null = null;
  const answer = post(`${engine.url}/api/chat`, {
    model: 'llama3',
    messages: [{ role: 'user', content: 'hi' }],
    keep_alive: 0,
  });
  const noted = answer.then((response) => {
    headAt = clock.now();
    return response.text();
  });
  await until(() => engine.stats().waiting === 1, { what: 'the request to wait for its model' });
  assert.deepEqual(await get(`${engine.url}/api/ps`), { models: [] });
  assert.equal(Array.isArray((await get(`${engine.url}/api/tags`))['models']), true);
  clock.advance(4999);
  assert.deepEqual([engine.stats().running, headAt], [0, null]);
  clock.advance(1);
  assert.equal(engine.stats().running, 1);
  clock.advance(10_000);
  await noted;
  assert.equal(headAt, 15_000);
  assert.deepEqual(await get(`${engine.url}/api/ps`), { models: [] });
  assert.equal(engine.stats().modelLoads, 1);
});

test('a client that leaves while its model loads waits no more and gets no slot', async () => {
  const clock = new ManualClock();
  await using engine = await startSimulatedEngine({ kind: 'ollama', clock, cold: true, loadMs: 5000 });
  const leaving = new AbortController();
  const body = JSON.stringify({ model: 'llama3', prompt: 'x' });
  const answer = fetch(`${engine.url}/api/generate`, { method: 'POST', body, signal: leaving.signal });
  await until(() => engine.stats().waiting === 1, { what: 'the request to wait for its model' });
  leaving.abort();
  await assert.rejects(answer);
  await until(() => engine.stats().waiting === 0, { what: 'it to be forgotten' });
  clock.advance(5000);
  const { running, served, cancelled, modelLoads } = engine.stats();
  assert.deepEqual({ running, served, cancelled, modelLoads }, { running: 0, served: 0, cancelled: 1, modelLoads: 1 });
});

test('Ollama counts slots per model', async () => {
  await using engine = await startSimulatedEngine({
    kind: 'ollama',
    clock: new ManualClock(),
    slots: 1,
    models: ['a', 'b'],
  });
  for (const model of ['a', 'b', 'b'])
    post(`${engine.url}/api/generate`, { model, prompt: 'x' }).catch(() => undefined);
  await until(() => engine.stats().running === 2 && engine.stats().waiting === 1, { what: 'one of each to run' });
});

test('llama.cpp says 503 while it loads, then its slots, and takes any model name', async () => {
  const clock = new ManualClock();
  await using engine = await startSimulatedEngine({ kind: 'llamacpp', clock, cold: true, loadMs: 3000, slots: 3 });
  for (const path of ['/health', '/props', '/v1/models']) {
    const response = await fetch(`${engine.url}${path}`);
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), {
      error: { code: 503, message: 'Loading model', type: 'unavailable_error' },
    });
  }
  clock.advance(3000);
  assert.deepEqual(await get(`${engine.url}/health`), { status: 'ok' });
  assert.equal((await get(`${engine.url}/props`))['total_slots'], 3);
  post(`${engine.url}/v1/chat/completions`, { model: 'anything', messages: [{ role: 'user', content: 'x' }] }).catch(
    () => undefined,
  );
  await until(() => engine.stats().running === 1, { what: 'the request to run' });
  const slots: unknown = await (await fetch(`${engine.url}/slots`)).json();
  assert.deepEqual(Array.isArray(slots) && slots.map((slot) => record(slot)['is_processing']), [true, false, false]);
  assert.match(await (await fetch(`${engine.url}/metrics`)).text(), /^llamacpp:requests_processing 1$/m);
});

test('llama.cpp names both numbers when a prompt exceeds its context', async () => {
  await using engine = await startSimulatedEngine({ ...FAST, kind: 'llamacpp', contextTokens: 10 });
  const response = await post(`${engine.url}/v1/completions`, { model: 'x', prompt: 'word '.repeat(20) });
  const error = record(record(await response.json())['error']);
  assert.deepEqual([response.status, error['type'], error['n_ctx']], [400, 'exceed_context_size_error', 10]);
});

test('vLLM and SGLang drop connections while they load, then show their load under their own names', async () => {
  for (const [kind, metric, waiting] of [
    ['vllm', 'vllm:num_requests_running', 'vllm:num_requests_waiting'],
    ['sglang', 'sglang:num_running_reqs', 'sglang:num_queue_reqs'],
  ] as const) {
    const clock = new ManualClock();
    await using engine = await startSimulatedEngine({ kind, clock, cold: true, loadMs: 3000, slots: 1 });
    await assert.rejects(fetch(`${engine.url}/v1/models`));
    clock.advance(3000);
    const models = (await get(`${engine.url}/v1/models`))['data'];
    assert.equal(Array.isArray(models) && record(models[0])['owned_by'], kind);
    for (let turn = 0; turn < 2; turn += 1) {
      post(`${engine.url}/v1/completions`, { model: 'llama3', prompt: 'x' }).catch(() => undefined);
    }
    await until(() => engine.stats().waiting === 1, { what: 'one to wait' });
    const metrics = await (await fetch(`${engine.url}/metrics`)).text();
    assert.match(metrics, new RegExp(`^${metric}\\{.*model_name="llama3"\\} 1$`, 'm'));
    assert.match(metrics, new RegExp(`^${waiting}\\{.*\\} 1$`, 'm'));
  }
});

test('each engine is recognised by what only it has', async () => {
  const own = {
    openai: null,
    ollama: '/api/version',
    llamacpp: '/props',
    vllm: '/version',
    sglang: '/get_model_info',
    lmstudio: '/api/v0/models',
  } as const;
  for (const kind of ['openai', 'ollama', 'llamacpp', 'vllm', 'sglang', 'lmstudio'] as const) {
    await using engine = await startSimulatedEngine({ kind });
    for (const [owner, path] of Object.entries(own)) {
      if (path === null) continue;
      const response = await fetch(`${engine.url}${path}`);
      const answer = await response.text();
      // LM Studio answers 200 to everything; what it says is the difference.
      const has = response.status === 200 && !answer.includes('Unexpected endpoint');
      assert.equal(has, owner === kind, `${kind} ${path}`);
    }
    assert.equal((await fetch(`${engine.url}/v1/models`)).status, 200);
  }
});
