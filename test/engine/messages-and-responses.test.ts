import assert from 'node:assert/strict';
import { engineTest, openai, untilIdle } from './stage.ts';

const messages = [{ role: 'user' as const, content: 'where does my request go' }];

function ask(url: string, path: string, body: object): Promise<Response> {
  return fetch(url + path, { method: 'POST', body: JSON.stringify({ model: 'tiny', ...body }) });
}

engineTest("Anthropic's messages, streamed and whole, and their tokens counted", async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine()]);
  const whole = await ask(weir.url, '/v1/messages', { max_tokens: 6, messages });
  const text = await whole.text();
  assert.equal(whole.status, 200, text);
  assert.match(text, /"type":"message"/);
  assert.match(text, /"model":"tiny"/);
  const stream = await (await ask(weir.url, '/v1/messages', { max_tokens: 6, messages, stream: true })).text();
  assert.match(stream, /^event: message_start\n/);
  assert.match(stream, /event: content_block_delta\n/);
  assert.match(stream, /event: message_stop\ndata: .*\n\n$/);
  const counted = await (await ask(weir.url, '/v1/messages/count_tokens', { messages })).text();
  assert.match(counted, /"input_tokens":\d+/);
  const long = [{ role: 'user', content: 'where '.repeat(3000) }];
  const refused = await ask(weir.url, '/v1/messages', { max_tokens: 6, messages: long });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /^\{"type":"error","error":\{"type":"[a-z_]+","message":"/);
  await untilIdle(weir);
});

engineTest('the official client gets a response, streamed and whole', async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine()]);
  const client = openai(weir);
  const whole = await client.responses.create({ model: 'tiny', input: 'where does it go', max_output_tokens: 6 });
  assert.ok(whole.output_text.length > 0);
  let streamed = '';
  const stream = await client.responses.create({ model: 'tiny', input: 'where', max_output_tokens: 6, stream: true });
  for await (const event of stream) if (event.type === 'response.output_text.delta') streamed += event.delta;
  assert.ok(streamed.length > 0);
  await untilIdle(weir);
});

engineTest('an endpoint that the engine was not started with is told as such', async ({ engine, weirBefore }) => {
  const weir = await weirBefore([await engine()]);
  const answer = await ask(weir.url, '/v1/rerank', { query: 'x', documents: ['y'] });
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /No node that offers this model has \/v1\/rerank/);
});
