import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHash } from '../../src/data-plane/auth/key-hash.ts';
import type { KeySnapshot } from '../../src/fleet/snapshot.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { at } from '../support/json-path.ts';
import { held, type Scripted, status } from '../support/scripted-answers.ts';
import { type Script, scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, testKey, type TestDataPlane, type TestNode } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const keys = {
  keys: [
    testKey(keyHash('ops'), { id: 'ops', label: 'ops', mayManage: true }),
    testKey(keyHash('team'), { id: 'team', mayManage: true, models: ['team-*', 'llama3'] }),
    testKey(keyHash('plain'), { id: 'plain' }),
  ] satisfies (readonly [string, KeySnapshot])[],
};
const NODE = 'canary-rack-7';

const lines: Scripted = (_request, { response }) => {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', server: NODE });
  response.write('{"status":"pulling manifest"}\n{"status":"pulling 6a07","total":10,"comp');
  response.write('leted":5}\nnot json of canary-rack-7\n\n');
  response.end('{"status":"success"}');
};

const empty: Scripted = (_request, { response }) => void response.writeHead(200).end();

const dies: Scripted = (_request, reply) => reply.reset();

const breaks: Scripted = async (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  await new Promise((resolve) => reply.response.write('{"status":"pulling manifest"}\n{"sta', resolve));
  reply.reset();
};

const talkative = [
  'open /root/.ollama/models/blobs/x: permission denied',
  `Get "https://registry.example/v2/": dial tcp 10.9.8.7:443 on ${NODE}`,
  'key sk-of-the-node was refused',
].join('; ');

const say: Scripted = (request, reply) => {
  const how = at(request.json(), 'model');
  if (how === 'refused') return reply.json(400, { error: talkative });
  if (how === 'missing') return reply.json(404, { error: `model 'missing' not found, ${talkative}` });
  if (how === 'failed') return reply.json(500, { error: talkative });
  if (how === 'whole') return reply.json(200, { status: 'success', where: { file: talkative } });
  if (how === 'whole-error') return reply.json(200, { error: talkative });
  if (how === 'text') return void reply.response.writeHead(400, { 'content-type': 'text/plain' }).end(talkative);
  reply.response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  reply.response.write(`${JSON.stringify({ status: 'writing manifest', file: talkative })}\n${talkative}\n`);
  reply.response.end(how === 'stream-error' ? `${JSON.stringify({ error: talkative })}\n` : undefined);
};

const begun: Scripted = (_request, { response }) => {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.write('{"status":"pulling manifest"}\n');
};

async function stage(paths: Script['paths'], more: readonly TestNode[] = [], clock?: ManualClock) {
  const node = await scriptedNode(paths ? { paths } : {});
  const ollama: TestNode = { url: node.url, name: NODE, engine: 'ollama', apiKey: 'sk-of-the-node' };
  const router = await startDataPlane([ollama, ...more], {}, clock ? { ...keys, clock } : keys);
  return {
    node,
    router,
    [Symbol.asyncDispose]: async () => {
      await router[Symbol.asyncDispose]();
      await node.close();
    },
  };
}

function command(router: TestDataPlane, name: string, body: object | string, key = 'ops', init: RequestInit = {}) {
  return fetch(`${router.url}/api/${name}`, {
    method: name === 'delete' ? 'DELETE' : 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

async function told(answer: Response): Promise<readonly unknown[]> {
  const json: unknown = await answer.json();
  return [answer.status, at(json, 'code'), at(json, 'error')];
}

test('a pull goes to the one Ollama node as it came, and its progress comes line by line', async () => {
  await using it = await stage({ '/api/pull': lines }, [{ url: 'http://127.0.0.1:1', engine: 'vllm' }]);
  const body = '{ "model": "qwen3:8b", "insecure": false }';
  const answer = await command(it.router, 'pull', body);
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/x-ndjson']);
  assert.equal(answer.headers.get('server'), null);
  assert.ok(answer.headers.get('x-request-id'));
  const text = await answer.text();
  assert.equal(
    text,
    '{"status":"pulling manifest"}\n{"status":"pulling 6a07","total":10,"completed":5}\n{"status":"success"}\n',
  );
  const [asked] = it.node.requests;
  assert.deepEqual([asked?.method, asked?.body.toString()], ['POST', body]);
  assert.equal(asked?.headers.authorization, 'Bearer sk-of-the-node');

  const [settlement] = await it.router.settled(1);
  assert.deepEqual(
    [settlement?.path, settlement?.model, settlement?.keyId, settlement?.outcome, settlement?.waitMs],
    ['/api/pull', 'qwen3:8b', 'ops', 'served', null],
  );
  assert.deepEqual(
    settlement?.attempts.map(({ nodeName, end }) => [nodeName, end]),
    [[NODE, 'complete']],
  );
  const noted = it.router.messages.filter(({ kind }) => kind === 'command');
  assert.deepEqual(noted, [
    {
      kind: 'command',
      command: {
        requestId: answer.headers.get('x-request-id'),
        command: 'pull',
        models: ['qwen3:8b'],
        node: { index: 0, generation: 1, id: 'node-0', name: NODE },
        key: { id: 'ops', label: 'ops' },
        end: 'complete',
      },
    },
  ]);
});

test('copies and deletions are answered with nothing, as Ollama does, and one object stays one', async () => {
  const paths = {
    '/api/copy': empty,
    '/api/delete': empty,
    '/api/create': ((_request, reply) => reply.json(200, { status: 'success' })) satisfies Scripted,
  };
  await using it = await stage(paths);
  for (const [name, body] of [
    ['copy', { source: 'a', destination: 'b' }],
    ['delete', { model: 'a' }],
  ] as const) {
    const answer = await command(it.router, name, body);
    assert.deepEqual([answer.status, await answer.text()], [200, ''], name);
  }
  assert.deepEqual(it.node.requests.at(-1)?.method, 'DELETE');
  const streams = (await it.router.settled(2)).map(({ stream }) => stream);
  assert.deepEqual(streams, [false, false]);
  const made = await command(it.router, 'create', { model: 'b', from: 'a', stream: false });
  assert.deepEqual([made.status, await made.json()], [200, { status: 'success' }]);
});

test('without the right, and without a key, the answer is 403 before the body is read, and no node hears of it', async () => {
  await using it = await stage({ '/api/pull': lines });
  for (const key of ['plain', 'nobodys']) {
    const [code, name, error] = await told(await command(it.router, 'pull', { model: 'qwen3' }, key));
    assert.deepEqual([code, name], [403, 'not_allowed']);
    assert.match(String(error), /mayManage/);
  }
  assert.equal(it.node.requests.length, 0);
  const outcomes = (await it.router.settled(2)).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ['rejected', 'rejected']);
});

test('a key that may use some models may manage only these, by whatever spelling the others are named', async () => {
  await using it = await stage({ '/api/pull': lines, '/api/create': lines, '/api/copy': lines });
  for (const [name, body] of [
    ['pull', '{"model":"qwen3"}'],
    ['pull', '{"model":"team-a","Model":"qwen3"}'],
    ['create', '{"model":"team-a","from":"qwen3"}'],
    ['copy', '{"source":"qwen3","destination":"team-a"}'],
    ['copy', '{"source":"llama3","destination":"qwen3"}'],
  ] as const) {
    assert.deepEqual((await told(await command(it.router, name, body, 'team'))).slice(0, 2), [403, 'not_allowed']);
  }
  assert.equal(it.node.requests.length, 0);
  const made = await command(it.router, 'create', '{"model":"qwen3","model":"team-a","from":"llama3:latest"}', 'team');
  assert.equal(made.status, 200);
  await made.text();
  assert.equal(it.node.requests[0]?.body.toString(), '{"model":"team-a","from":"llama3:latest"}');
});

test('a command that could be meant for several nodes, or for none, is refused with what to do', async () => {
  const away: TestNode = { url: 'http://127.0.0.1:1', engine: 'ollama', state: 'offline' };
  await using it = await stage({ '/api/delete': lines }, [away]);
  const [code, name, error] = await told(await command(it.router, 'delete', { model: 'a' }));
  assert.deepEqual([code, name], [409, 'not_one_node']);
  assert.match(String(error), /weir models pull/);
  it.router.publish([{ url: it.node.url, engine: 'vllm' }], { keys: new Map(keys.keys) });
  assert.equal((await told(await command(it.router, 'delete', { model: 'a' })))[1], 'not_one_node');
  it.router.publish([away], { keys: new Map(keys.keys) });
  const wait = await command(it.router, 'delete', { model: 'a' });
  assert.equal(wait.headers.get('retry-after'), '1');
  assert.deepEqual((await told(wait)).slice(0, 2), [503, 'no_ready_node']);
  assert.equal(it.node.requests.length, 0);
});

test('what makes no sense is told before a node is asked', async () => {
  await using it = await stage({});
  assert.equal((await told(await command(it.router, 'pull', 'nonsense')))[1], 'invalid_json');
  const [code, name, error] = await told(await command(it.router, 'copy', {}));
  assert.deepEqual([code, name], [400, 'missing_model']);
  assert.match(String(error), /"source" and "destination"/);
  const coded = { headers: { authorization: 'Bearer ops', 'content-encoding': 'br' } };
  assert.equal((await command(it.router, 'pull', '{}', 'ops', coded)).status, 415);
  assert.equal(it.node.requests.length, 0);
});

test('a client that leaves in the middle takes the command with it', async () => {
  const gone = Promise.withResolvers<void>();
  const begins: Scripted = (_request, { response, gone: left }) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write('{"status":"pulling manifest"}\n');
    void left.then(() => gone.resolve());
  };
  await using it = await stage({ '/api/pull': begins });
  const leave = new AbortController();
  const answer = await command(it.router, 'pull', { model: 'a' }, 'ops', { signal: leave.signal });
  await answer.body?.getReader().read();
  leave.abort();
  await gone.promise;
  const [settlement] = await it.router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.attempts[0]?.end], ['gone', 'client-gone']);
});

test('a node that breaks off is asked once, also on a connection that was used before', async () => {
  const paths = { '/api/delete': dies, '/api/pull': lines };
  await using it = await stage(paths);
  // Leaves an idle connection, on which a request that can be repeated would be tried first.
  await (await it.router.chat()).text();
  const [code, name, error] = await told(await command(it.router, 'delete', { model: 'a' }));
  assert.deepEqual([code, name], [502, 'upstream_failed']);
  assert.match(String(error), /not known/);
  assert.equal(it.node.count('/api/delete'), 1);
});

test('progress that breaks off ends in an error and no end', async () => {
  await using it = await stage({ '/api/pull': breaks });
  const text = await (await command(it.router, 'pull', { model: 'a' })).text();
  assert.match(text, /^\{"status":"pulling manifest"\}\n\{"error":"[^"]+","code":"stream_interrupted"[^\n]*\}\n$/);
  assert.equal((await it.router.settled(1))[0]?.outcome, 'interrupted');
});

test('nothing that a node says of itself crosses: not in progress, nor in errors, whole or in the stream', async () => {
  await using it = await stage({ '/api/create': say });
  for (const [model, code] of [
    ['refused', 400],
    ['missing', 404],
    ['failed', 502],
    ['whole', 200],
    ['whole-error', 502],
    ['text', 400],
    ['stream', 200],
    ['stream-error', 200],
  ] as const) {
    const answer = await command(it.router, 'create', { model });
    const text = await answer.text();
    assert.equal(answer.status, code, `${model}: ${text}`);
    assert.match(text, /permission denied/, model);
    assert.doesNotMatch(text, /canary|10\.9\.8\.7|registry\.example|ollama\/models|root|sk-of/, model);
  }
});

test("what a node says to the router is the router's to hear: keys, load, redirects", async () => {
  for (const [code, status_, name] of [
    [401, 502, 'upstream_failed'],
    [302, 502, 'upstream_failed'],
    [429, 503, 'capacity_exceeded'],
  ] as const) {
    await using it = await stage({ '/api/push': status(code, { 'retry-after': '7' }) });
    const answer = await command(it.router, 'push', { model: 'a' });
    assert.equal(answer.headers.get('retry-after'), code === 429 ? '7' : null);
    assert.deepEqual((await told(answer)).slice(0, 2), [status_, name]);
    assert.equal(it.node.count('/api/push'), 1);
  }
});

test('a stream that never begins is given up, and an answer that is not streamed is waited for while the node is there', async () => {
  const clock = new ManualClock();
  const gate = held(lines);
  await using it = await stage({ '/api/pull': gate.answer }, [], clock);
  const streamed = command(it.router, 'pull', { model: 'a' });
  await until(() => gate.waiting() === 1, { what: 'the pull' });
  const whole = command(it.router, 'pull', { model: 'a', stream: false });
  await until(() => gate.waiting() === 2, { what: 'the second pull' });
  clock.advance(it.router.plane.settings.timeouts.firstByteMs);
  assert.deepEqual((await told(await streamed)).slice(0, 2), [504, 'upstream_timeout']);
  clock.advance(3_600_000);
  assert.equal(it.router.plane.open.size, 1);
  it.router.publish([{ url: it.node.url, name: NODE, engine: 'ollama', state: 'offline' }], {
    keys: new Map(keys.keys),
  });
  assert.deepEqual((await told(await whole)).slice(0, 2), [502, 'upstream_failed']);
});

test('a revoked key ends no command that runs, unless it is aborted', async () => {
  await using it = await stage({ '/api/pull': begun });
  const answer = await command(it.router, 'pull', { model: 'a' });
  it.router.publish([{ url: it.node.url, name: NODE, engine: 'ollama' }]);
  assert.equal(it.router.plane.open.size, 1);
  it.router.plane.abortKey('ops');
  assert.match(await answer.text(), /pulling manifest[^]*"code":"stream_interrupted"/);
});

test('questions and work go on beside commands, which take none of their places', async () => {
  const gate = held(lines);
  await using it = await stage({ '/api/pull': gate.answer });
  const pulls = Array.from({ length: 6 }, () => command(it.router, 'pull', { model: 'a' }));
  await until(() => gate.waiting() === 6, { what: 'six pulls' });
  const said = await it.router.chat();
  assert.equal(said.status, 200);
  await said.text();
  assert.equal(it.router.plane.gauges().openLeases, 0);
  gate.release();
  for (const pull of pulls) assert.match(await (await pull).text(), /success/);
});
