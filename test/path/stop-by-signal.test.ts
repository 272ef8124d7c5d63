import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { startWeir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

test('SIGTERM stops an idle router with exit code 0 and says so', async () => {
  const weir = await startWeir();
  assert.equal(await weir.stop(), 0);
  assert.match(weir.output(), /^SIGTERM: finishing the running answers/m);
});

test('a Ctrl-C that arrives twice, as under npm start, still stops it with 0', async () => {
  const weir = await startWeir();
  const ended = once(weir.process, 'exit');
  weir.kill('SIGINT');
  weir.kill('SIGINT');
  const [code] = await ended;
  assert.equal(code, 0);
});

test('a second signal ends a router at once that still waits for an answer', async () => {
  await using node = await scriptedNode((_request, reply) => {
    // Never answered, so the drain cannot finish.
    void reply;
  });
  const weir = await startWeir({ nodes: [{ name: 'frozen', url: node.url, engine: 'openai' }] });
  const body = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hi' }] });
  const answer = fetch(`${weir.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  }).then(
    () => 'answered',
    () => 'cut',
  );
  await until(() => node.count('/v1/chat/completions') === 1, {
    what: 'the request to reach the node',
    withinMs: 5000,
  });
  const ended = once(weir.process, 'exit');
  weir.kill('SIGINT');
  await until(() => weir.output().includes('finishing the running answers'), { what: 'the drain', withinMs: 5000 });
  weir.kill('SIGTERM');
  const [code] = await ended;
  assert.equal(code, 143);
  assert.equal(await answer, 'cut');
});
