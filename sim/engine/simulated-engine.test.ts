import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { until } from '../../test/support/until.ts';
import type { Fault } from './faults.ts';
import { startSimulatedEngine, type SimulatedEngine } from './simulated-engine.ts';

const FAST = { timeScale: 50 } as const;

function ask(engine: SimulatedEngine, more: Record<string, unknown> = {}, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hello there' }], ...more });
  return fetch(`${engine.url}/v1/chat/completions`, {
    method: 'POST',
    body,
    signal: AbortSignal.timeout(10_000),
    ...init,
  });
}

test('requests beyond the slots get no headers until they start, in the order they came', async () => {
  const clock = new ManualClock();
  await using engine = await startSimulatedEngine({ clock, slots: 1, outputTokens: { min: 2, max: 2 } });
  const heads: string[] = [];
  const bodies: Promise<string>[] = [];
  for (const [index, name] of ['first', 'second', 'third'].entries()) {
    const answer = ask(engine, { stream: true, user: name });
    bodies.push(answer.then((response) => (heads.push(name), response.text())));
    await until(() => engine.stats().running + engine.stats().waiting === index + 1, { what: `${name} to arrive` });
  }
  await until(() => heads.length === 1, { what: 'the head of the first' });
  for (const count of [2, 3]) {
    clock.advance(20);
    await until(() => heads.length === count, { what: `${count} heads` });
  }
  assert.deepEqual(heads, ['first', 'second', 'third']);
  clock.advance(1000);
  for (const body of await Promise.all(bodies)) assert.ok(body.endsWith('data: [DONE]\n\n'));
  const { served, mostRunning, mostWaiting } = engine.stats();
  assert.deepEqual({ served, mostRunning, mostWaiting }, { served: 3, mostRunning: 1, mostWaiting: 2 });
});

test('an engine whose own queue is full says so', async () => {
  await using engine = await startSimulatedEngine({ clock: new ManualClock(), slots: 1, maxWaiting: 0 });
  ask(engine).catch(() => undefined);
  await until(() => engine.stats().running === 1, { what: 'the slot to be taken' });
  assert.equal((await ask(engine)).status, 503);
});

test('idle connections are closed after the time the engine allows, and not while they are used', async () => {
  const clock = new ManualClock();
  await using engine = await startSimulatedEngine({ kind: 'vllm', clock });
  const socket = connect(engine.port, '127.0.0.1');
  const probe = async (): Promise<string> => {
    socket.write('GET /version HTTP/1.1\r\nhost: x\r\n\r\n');
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(5000) });
    return String(answer);
  };
  assert.match(await probe(), /^server: uvicorn\r\n/im);
  clock.advance(4999);
  await probe();
  assert.deepEqual([engine.stats().socketsOpened, engine.stats().socketsOpen], [1, 1]);
  const idleFrom = clock.now();
  const isClosed = (): boolean => {
    clock.advance(50);
    return engine.stats().socketsOpen === 0;
  };
  await until(isClosed, { what: 'the idle connection to be closed' });
  assert.ok(clock.now() - idleFrom >= 5000, `closed after ${clock.now() - idleFrom} ms`);
});

test('a time scale divides every duration', async () => {
  const clock = new ManualClock();
  await using engine = await startSimulatedEngine({
    clock,
    timeScale: 10,
    outputTokens: { min: 11, max: 11 },
    stepMs: 100,
    stepPerSequenceMs: 0,
    promptTokensPerSecond: 1e9,
  });
  const answer = ask(engine);
  await until(() => engine.stats().running === 1, { what: 'it to start' });
  clock.advance(99);
  assert.equal(engine.stats().served, 0);
  clock.advance(2);
  assert.equal(engine.stats().served, 1);
  await (await answer).text();
});

const STATUSES: readonly (readonly [Fault, number])[] = [
  [{ kind: 'overloaded', retryAfterSeconds: 7 }, 429],
  [{ kind: 'unavailable', retryAfterSeconds: 2 }, 503],
  [{ kind: 'loading' }, 503],
  [{ kind: 'error' }, 500],
  [{ kind: 'unauthorized' }, 401],
  [{ kind: 'missing' }, 404],
  [{ kind: 'redirect', message: 'http://127.0.0.1:9/' }, 302],
];

test('faults with a status answer it, in the form of each engine, and leave probes alone', async () => {
  for (const kind of ['openai', 'ollama', 'llamacpp', 'vllm', 'sglang', 'lmstudio'] as const) {
    await using engine = await startSimulatedEngine({ ...FAST, kind });
    for (const [fault, status] of STATUSES) {
      engine.setFaults(fault);
      const response = await ask(engine, {}, { redirect: 'manual' });
      assert.equal(response.status, status, `${kind} ${fault.kind}`);
      const retryAfter = fault.retryAfterSeconds;
      assert.equal(response.headers.get('retry-after'), retryAfter === undefined ? null : String(retryAfter));
      const text = await response.text();
      if (status !== 302) assert.match(text, /"(message|error)"/);
      assert.equal((await fetch(`${engine.url}/v1/models`)).status, 200);
    }
    engine.setFaults();
    assert.equal((await ask(engine)).status, 200);
  }
});

test('a fault heals after so many times, may be for probes only, and is set over HTTP', async () => {
  await using engine = await startSimulatedEngine(FAST);
  const set = (faults: unknown): Promise<Response> =>
    fetch(`${engine.url}/sim/faults`, { method: 'POST', body: JSON.stringify(faults) });
  await set([
    { kind: 'error', times: 2 },
    { kind: 'unavailable', on: 'probes' },
  ]);
  const statuses: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) statuses.push((await ask(engine)).status);
  assert.deepEqual(statuses, [500, 500, 200]);
  assert.equal((await fetch(`${engine.url}/v1/models`)).status, 503);
  assert.deepEqual(await (await fetch(`${engine.url}/sim/faults`)).json(), [
    { kind: 'unavailable', on: 'probes', factor: 1, delayMs: 0 },
  ]);
  const wrong = await set({ kind: 'sleepy' });
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /not a fault/);
  await fetch(`${engine.url}/sim/faults`, { method: 'DELETE' });
  assert.equal((await fetch(`${engine.url}/v1/models`)).status, 200);
});

test('a reset strikes before any byte, or after exactly so many bytes of the body', async () => {
  await using engine = await startSimulatedEngine(FAST);
  engine.setFaults({ kind: 'reset' });
  await assert.rejects(ask(engine), (error: Error) => Object(error.cause).code === 'ECONNRESET');
  for (const stream of [true, false]) {
    engine.setFaults({ kind: 'reset', afterBytes: 100 });
    const response = await ask(engine, { stream });
    assert.equal(response.status, 200);
    let bytes = 0;
    await assert.rejects(async () => {
      for await (const chunk of response.body ?? []) bytes += chunk.length;
    });
    assert.equal(bytes, 100);
  }
  await until(() => engine.stats().running === 0, { what: 'the slots to be free' });
});

test('a frozen engine takes requests and never answers; a stalled one falls silent on the way', async () => {
  await using engine = await startSimulatedEngine({
    ...FAST,
    faults: [
      { kind: 'frozen', on: 'all', times: 1 },
      { kind: 'stall', afterBytes: 50, times: 1 },
    ],
  });
  const leaving = new AbortController();
  const frozen = fetch(`${engine.url}/v1/models`, { signal: leaving.signal });
  await until(() => engine.stats().paths['GET /v1/models'] === 1, { what: 'the probe to arrive' });
  const stalled = await ask(engine, { stream: true }, { signal: leaving.signal });
  const reader = stalled.body?.getReader();
  let bytes = 0;
  while (bytes < 50) bytes += (await reader?.read())?.value?.length ?? 0;
  const silence = reader?.read();
  assert.equal((await ask(engine)).status, 200, 'it has healed');
  leaving.abort();
  await assert.rejects(frozen);
  await assert.rejects(silence ?? Promise.resolve());
  assert.equal(bytes, 50);
});

test('nonsense comes as no HTTP, no JSON or a broken chunk', async () => {
  await using engine = await startSimulatedEngine(FAST);
  engine.setFaults({ kind: 'not-http' });
  const socket = connect(engine.port, '127.0.0.1');
  socket.write('POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}');
  const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(5000) });
  assert.equal(String(bytes), 'this is not HTTP\r\n\r\n');
  socket.destroy();
  engine.setFaults({ kind: 'not-json' });
  await assert.rejects((await ask(engine)).json(), SyntaxError);
  for (const fault of [{ kind: 'broken-chunk' }, { kind: 'broken-chunk', afterBytes: 60 }] as const) {
    engine.setFaults(fault);
    const broken = await ask(engine, { stream: true });
    await assert.rejects(broken.text());
  }
});

test('slowness lengthens the computing and delays the answers it is for', async () => {
  const clock = new ManualClock();
  const faults = [{ kind: 'slow', factor: 10, delayMs: 300, on: 'all' }] as const;
  await using engine = await startSimulatedEngine({
    clock,
    faults,
    outputTokens: { min: 2, max: 2 },
    stepMs: 10,
    stepPerSequenceMs: 0,
    promptTokensPerSecond: 1e9,
  });
  const probe = fetch(`${engine.url}/v1/models`);
  const answer = ask(engine);
  await until(() => Object.keys(engine.stats().paths).length === 2, { what: 'both to arrive' });
  clock.advance(299);
  assert.equal(engine.stats().running, 0);
  clock.advance(1);
  assert.equal(engine.stats().running, 1);
  clock.advance(99);
  assert.equal(engine.stats().served, 0);
  clock.advance(2);
  assert.equal(engine.stats().served, 1);
  assert.deepEqual([(await probe).status, (await answer).status], [200, 200]);
});

test('closing drops every connection, waiting requests too, and a wrong option is told by name', async () => {
  const engine = await startSimulatedEngine({ clock: new ManualClock(), slots: 1 });
  const answers = Promise.allSettled([ask(engine), ask(engine)]);
  await until(() => engine.stats().waiting === 1, { what: 'one to wait' });
  await engine.close();
  assert.deepEqual(
    (await answers).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  await assert.rejects(startSimulatedEngine({ slots: 0 }), /slots: 0/);
  await assert.rejects(startSimulatedEngine({ models: [] }), /models/);
});
