import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';

test('the official client learns of a broken stream of typed events, and why', async () => {
  const goOn = Promise.withResolvers<void>();
  await using node = await scriptedNode(async (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(
      'event: response.created\ndata: {"type":"response.created","response":{"model":"/srv/m"}}\n\n',
    );
    await goOn.promise;
    reply.socket.destroy();
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const client = new OpenAI({ baseURL: `${router.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const stream = await client.responses.create({ model: 'llama3', input: 'x', stream: true });
  const seen: string[] = [];
  await assert.rejects(
    async () => {
      for await (const event of stream) {
        seen.push(event.type === 'response.created' ? event.response.model : event.type);
        goOn.resolve();
      }
    },
    (error) => error instanceof OpenAI.APIError && error.code === 'stream_interrupted',
  );
  assert.deepEqual(seen, ['llama3']);
});
