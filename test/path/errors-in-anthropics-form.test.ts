import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';

function ask(router: TestDataPlane, more: object = {}, headers: Record<string, string> = {}): Promise<Response> {
  const body = JSON.stringify({ model: 'llama3', max_tokens: 5, messages: [], ...more });
  return fetch(`${router.url}/v1/messages?beta=true`, { method: 'POST', body, headers });
}

test("a node's own refusal is told in Anthropic's form, whichever form the engine used", async () => {
  const own = { type: 'error', error: { type: 'invalid_request_error', message: 'too long' } };
  for (const [value, expected] of [
    [own, /^\{"type":"error","error":\{"type":"invalid_request_error","message":"too long"\}\}$/],
    [
      { error: { code: 400, message: 'too long', type: 'exceed_context_size_error', n_ctx: 10 } },
      /^\{"type":"error","error":\{"type":"invalid_request_error","message":"too long","code":"request_rejected"\},"request_id":"/,
    ],
  ] as const) {
    await using node = await scriptedNode((_request, reply) => reply.json(400, value));
    await using router = await startDataPlane([{ url: node.url, engine: 'llamacpp' }]);
    const answer = await ask(router);
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), expected);
  }
});

test('a stream that breaks ends with an error event of Anthropic’s form and no message_stop', async () => {
  const start = {
    type: 'message_start',
    message: { id: 'm', model: '/srv/model.gguf', role: 'assistant', content: [] },
  };
  const goOn = Promise.withResolvers<void>();
  await using node = await scriptedNode(async (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(`event: message_start\ndata: ${JSON.stringify(start)}\n\n`);
    await goOn.promise;
    reply.response.end(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"out of memory"}}\n\n',
    );
  });
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm' }]);
  const answer = await ask(router, { stream: true });
  // Its head comes with the first event: the answer has begun.
  goOn.resolve();
  const text = await answer.text();
  assert.match(text, /^event: message_start\ndata: \{"type":"message_start","message":\{"id":"m","model":"llama3"/);
  assert.match(
    text,
    /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"out of memory","code":"stream_interrupted"\},"request_id":"[^"]+"\}\n\n$/,
  );
});

test('the headers that name the version of the API reach the node, and the client’s key does not', async () => {
  await using node = await scriptedNode();
  await using router = await startDataPlane([{ url: node.url, engine: 'vllm' }]);
  await ask(router, {}, { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'x-1', 'x-api-key': 'secret' });
  const headers = node.requests[0]?.headers ?? {};
  assert.deepEqual([headers['anthropic-version'], headers['anthropic-beta']], ['2023-06-01', 'x-1']);
  assert.equal(JSON.stringify(headers).includes('secret'), false);
  assert.equal(node.requests[0]?.path, '/v1/messages');
});
