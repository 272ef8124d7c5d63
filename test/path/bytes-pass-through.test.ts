import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ScriptedRequest, completion } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

async function sent(
  body: string | Buffer,
  upstream = 'llama3',
): Promise<{ request: ScriptedRequest; status: number; text: string }> {
  await using node = await scriptedNode((_request, reply) => reply.json(200, completion('hi', upstream)));
  await using router = await startDataPlane([{ url: node.url, models: { llama3: upstream } }]);
  const response = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', body });
  const text = await response.text();
  await router.settled(1);
  const [request] = node.requests;
  assert.ok(request, text);
  return { request, status: response.status, text };
}

test('a request reaches the node byte for byte, whatever its form', async () => {
  const bodies = [
    '{"model":"llama3"}',
    ' {\n\t"unknown" : {"a":[1.0,1e400,-0,12345678901234567890]} ,"model":"llama3","unknown":2,"unknown":null}\r\n',
    '{"model":"llama3","messages":[{"role":"user","content":"\\u00e9\\ud83d\\ude00 é😀 \\/ \\"model\\":\\"x\\""}],"stream":false}',
    '{"mod\\u0065l":"llama3","n":1}',
    '{"model":"llama3","stream":"yes","stream_options":{"include_usage":true}}',
  ];
  for (const body of bodies) {
    const { request, status } = await sent(body);
    assert.equal(request.body.toString(), body);
    assert.equal(status, 200);
    assert.equal(request.headers['content-length'], String(Buffer.byteLength(body)));
  }
});

test('bytes that are no UTF-8 in a text reach the node as they are', async () => {
  const body = Buffer.concat([
    Buffer.from('{"model":"llama3","x":"'),
    Buffer.from([0xff, 0xfe, 0xc3]),
    Buffer.from('"}'),
  ]);
  const { request } = await sent(body);
  assert.deepEqual(request.body, body);
});

test('a body of 30 MB reaches the node byte for byte', async () => {
  const body = Buffer.from(JSON.stringify({ model: 'llama3', image: 'aGVsbG8/'.repeat(30 * 131_072) }));
  assert.ok(body.length > 31_000_000);
  const { request } = await sent(body);
  assert.ok(request.body.equals(body));
});

test("only the model is replaced where the engine's own name differs, and back in the answer", async () => {
  const { request, text } = await sent(
    '{ "a":1e2, "model" : "llama3:latest" ,"messages":[{"model":"llama3"}]}',
    '/models/L-3.gguf',
  );
  assert.equal(request.body.toString(), '{ "a":1e2, "model" : "/models/L-3.gguf" ,"messages":[{"model":"llama3"}]}');
  assert.match(text, /"model":"llama3:latest"/);
  assert.equal(text.includes('gguf'), false);
});

test('what was checked is what the engine reads: several model fields are made one', async () => {
  const { request } = await sent('{"model":"other","Model":"third","model":"llama3"}');
  assert.equal(request.body.toString(), '{"model":"llama3","Model":"llama3","model":"llama3"}');
});

test("of a client's headers its key, cookies and address do not reach the node", async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, apiKey: 'node-key', headers: { 'x-team': 'a' } }]);
  const headers = {
    authorization: 'Bearer client-secret',
    'x-api-key': 'client-secret',
    cookie: 'client-secret',
    'x-forwarded-for': '203.0.113.9',
    accept: 'application/json',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'x-request-id': 'mine',
    'content-type': 'text/plain',
  };
  await router.chat({}, { headers });
  const seen = node.requests[0]?.headers;
  assert.equal(JSON.stringify(seen).includes('client-secret'), false);
  assert.equal(seen?.authorization, 'Bearer node-key');
  assert.deepEqual([seen['x-team'], seen.accept, seen['accept-encoding']], ['a', 'application/json', 'identity']);
  assert.equal(seen['traceparent'], headers.traceparent);
  assert.equal(seen['content-type'], 'application/json');
  assert.equal(seen['x-forwarded-for'], undefined);
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.clientRequestId, 'mine');
  assert.equal(settlement.traceparent, headers.traceparent);
  assert.notEqual(settlement.id, 'mine');
});
