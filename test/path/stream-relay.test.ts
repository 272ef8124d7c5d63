import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, finishEvent, type Reply, type Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { lastAnswer, post, rawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const body = JSON.stringify({ model: 'llama3', stream: true, messages: [] });
const chatPath = '/v1/chat/completions';

/** A node whose stream a test writes by hand. */
function byHand(): { answer: Scripted; reply: Promise<Reply> } {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  return {
    reply: promise,
    answer: (_request, reply) => {
      reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.response.flushHeaders();
      resolve(reply);
    },
  };
}

test('the first event arrives before the second is written, and nothing before the first', async () => {
  const hand = byHand();
  await using node = await scriptedNode(hand.answer);
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  client.send(post(chatPath, body));
  const { response } = await hand.reply;
  const comment = ': a comment is no answer yet\n\n';
  response.write(comment);
  await until(() => router.plane.gauges().openLeases === 1, { what: 'the lease' });
  const first = deltaEvent('one');
  response.write(first);
  await client.sees(first);
  assert.ok(client.received().includes(':\n\n'), 'comments pass too, without their words');
  assert.ok(!client.received().includes('no answer yet'));
  const second = deltaEvent('"model":"x" http://10.0.0.5:8000 data: [DONE]');
  response.write(second.slice(0, 40));
  response.write(second.slice(40));
  await client.sees(second);
  response.end(`${finishEvent()}data: [DONE]\n\n`);
  await client.sees('data: [DONE]\n\n\r\n0\r\n\r\n');
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.outcome, 'served');
  assert.equal(settlement?.usage?.completionTokens, 2, 'counted from deltas, since the node did not tell');
  assert.equal(settlement?.usage?.estimated, true);
});

test('a stream that breaks after it began ends in an error event, without an end marker', async () => {
  const hand = byHand();
  await using node = await scriptedNode(hand.answer);
  await using router = await startDataPlane([{ url: node.url }, { url: node.url }]);
  using client = rawClient(router.url);
  client.send(post(chatPath, body));
  const reply = await hand.reply;
  reply.response.write(deltaEvent('one'));
  await client.sees(deltaEvent('one'));
  reply.response.write('data: {"choices":[{"delta":{"content":"half of a fra');
  reply.response.write('', () => reply.reset());
  await client.sees('\r\n0\r\n\r\n');
  const received = client.received();
  assert.match(
    received,
    /data: \{"error":\{"message":"[^"]+","type":"upstream_error","param":null,"code":"stream_interrupted"\}\}\n\n/,
  );
  assert.equal(received.includes('[DONE]'), false);
  assert.equal(received.includes('half of a fra'), false, 'frames are never cut');
  const [settlement] = await router.settled(1);
  assert.deepEqual(
    [settlement?.outcome, settlement?.code, settlement?.attempts.length],
    ['interrupted', 'stream_interrupted', 1],
  );
  assert.equal(node.requests.length, 1, 'a begun answer belongs to its node');
  client.send(post(chatPath, body));
  await until(() => node.requests.length === 2, { what: 'the connection to be used again' });
});

test('a stream that falls silent after it began ends in an error event', async () => {
  const hand = byHand();
  await using node = await scriptedNode(hand.answer);
  await using router = await startDataPlane([{ url: node.url }], {
    timeouts: { firstByteMs: 60_000, betweenBytesMs: 100 },
  });
  using client = rawClient(router.url);
  client.send(post(chatPath, body));
  const { response, gone } = await hand.reply;
  response.write(deltaEvent('one'));
  await client.sees('stream_interrupted');
  await gone;
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.attempts[0]?.end], ['interrupted', 'broken']);
});

test('comments alone do not keep a node alive', async () => {
  const hand = byHand();
  await using node = await scriptedNode(hand.answer);
  await using router = await startDataPlane([{ url: node.url }], {
    timeouts: { firstByteMs: 150, betweenBytesMs: 60_000 },
  });
  using client = rawClient(router.url);
  client.send(post(chatPath, body));
  const { response } = await hand.reply;
  const ticking = setInterval(() => response.write(': ping\n\n'), 20);
  await client.sees('upstream_timeout');
  clearInterval(ticking);
  assert.equal(lastAnswer(client.received()).status, 504);
});

test('an error that the node reports within its stream is told in our words of it, scrubbed', async () => {
  const hand = byHand();
  await using node = await scriptedNode(hand.answer);
  await using router = await startDataPlane([{ url: node.url, name: 'canary-rack-7' }]);
  using client = rawClient(router.url);
  client.send(post(chatPath, body));
  const { response } = await hand.reply;
  response.write(deltaEvent('one'));
  await client.sees(deltaEvent('one'));
  response.end(`data: {"error":{"message":"worker canary-rack-7 at ${node.url} died"}}\n\ndata: [DONE]\n\n`);
  await client.sees('\r\n0\r\n\r\n');
  assert.match(client.received(), /"message":"worker \[node\] at \[address\] died"/);
  assert.equal(client.received().includes('[DONE]'), false);
});

test('an Ollama stream that breaks ends in a line with an error', async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    reply.response.write('{"model":"llama3","message":{"content":"hi"},"done":false}\n{"model":"lla', () =>
      setTimeout(() => reply.reset(), 20),
    );
  });
  await using router = await startDataPlane([{ url: node.url, engine: 'ollama' }]);
  const response = await fetch(`${router.url}/api/chat`, { method: 'POST', body: JSON.stringify({ model: 'llama3' }) });
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const [first = '', second = '', ...rest] = (await response.text()).split('\n');
  assert.equal(first, '{"model":"llama3","message":{"content":"hi"},"done":false}');
  assert.match(second, /^\{"error":"[^"]+","code":"stream_interrupted","type":"upstream_error"\}$/);
  assert.deepEqual(rest, ['']);
  await router.settled(1);
});

test('a stream without framing that ends without its end marker was broken off', async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.raw(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n${deltaEvent('one')}`);
    reply.socket.end();
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const text = await (await router.chat({ stream: true })).text();
  assert.match(text, /stream_interrupted/);
});

test('a large whole answer that breaks after it began cuts the connection', async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'application/json' });
    reply.response.write(`{"data":"${'x'.repeat(400_000)}`, () => setTimeout(() => reply.reset(), 50));
  });
  await using router = await startDataPlane([{ url: node.url }, { url: node.url }]);
  using client = rawClient(router.url);
  client.send(post('/v1/embeddings', body));
  await client.closed();
  const answer = lastAnswer(client.received());
  assert.equal(answer.status, 200);
  assert.equal(answer.body.endsWith('0\r\n\r\n'), false, 'no client may take it for whole');
  assert.equal(answer.body.includes('error'), false);
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.code], ['interrupted', 'stream_interrupted']);
});

test('a large whole answer has the asked model, no fingerprint, and its usage read', async () => {
  const data = Array.from({ length: 4000 }, (_, index) => ({
    index,
    embedding: [0.125, -1e-7, index],
    model: '/mnt/in/data',
  }));
  const sent = `{"object":"list","system_fingerprint":"fp_1","data":${JSON.stringify(data)}, "model": "/mnt/models/canary.gguf" ,"usage":{"prompt_tokens":12,"total_tokens":12}}`;
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(sent.length) });
    reply.response.end(sent);
  });
  await using router = await startDataPlane([{ url: node.url, models: { llama3: '/mnt/models/canary.gguf' } }]);
  const response = await fetch(`${router.url}/v1/embeddings`, {
    method: 'POST',
    body: JSON.stringify({ model: 'llama3', input: 'x' }),
  });
  assert.equal(
    await response.text(),
    sent.replace('"system_fingerprint":"fp_1",', '').replace('"/mnt/models/canary.gguf"', '"llama3"'),
  );
  const [settlement] = await router.settled(1);
  assert.equal(settlement?.usage?.promptTokens, 12);
  assert.equal(settlement?.outcome, 'served');
});
