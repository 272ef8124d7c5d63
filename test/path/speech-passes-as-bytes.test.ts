import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { post, rawClient } from '../support/raw-client.ts';
import { startDataPlane, type TestDataPlane } from '../support/start-data-plane.ts';
import { until } from '../support/until.ts';

const path = '/v1/audio/speech';
const body = JSON.stringify({ model: 'llama3', input: 'say it', voice: 'alloy' });

function speak(router: TestDataPlane): Promise<Response> {
  return fetch(router.url + path, { method: 'POST', body });
}

function audio(bytes: Buffer, type = 'audio/mpeg'): Scripted {
  return (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': type, 'x-served-by': 'node' });
    reply.response.end(bytes);
  };
}

test('audio passes byte for byte, short and long, with its content type and none of the node’s headers', async () => {
  for (const [size, type] of [
    [1, 'audio/mpeg'],
    [3_000_000, 'audio/wav'],
    [70_000, 'application/octet-stream'],
  ] as const) {
    const bytes = randomBytes(size);
    await using node = await scriptedNode(audio(bytes, type));
    await using router = await startDataPlane([{ url: node.url }]);
    const answer = await speak(router);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), type);
    assert.equal(answer.headers.has('x-served-by'), false);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
    const [settlement] = await router.settled(1);
    assert.deepEqual([settlement?.outcome, settlement?.responseBytes], ['served', size]);
  }
});

test('the first bytes of audio reach the client while the node still speaks', async () => {
  const goOn = Promise.withResolvers<void>();
  await using node = await scriptedNode(async (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'audio/mpeg' });
    reply.response.write('first');
    await goOn.promise;
    reply.response.end('last');
  });
  await using router = await startDataPlane([{ url: node.url }]);
  const answer = await speak(router);
  const reader = answer.body?.getReader();
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'first');
  goOn.resolve();
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'last');
});

test('a client that does not take its audio stalls the node', async () => {
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'audio/wav' });
    const more = (): void => {
      while (written < 200_000_000 && !reply.response.destroyed) {
        written += chunk.length;
        if (!reply.response.write(chunk)) return void reply.response.once('drain', more);
      }
      reply.response.end();
    };
    more();
  });
  await using router = await startDataPlane([{ url: node.url }]);
  using client = rawClient(router.url);
  client.socket.pause();
  client.send(post(path, body));
  let last = -1;
  await until(
    () => {
      const hasStalled = written > 0 && written === last;
      last = written;
      return hasStalled;
    },
    { what: 'the node to stall' },
  );
  assert.ok(written < 40_000_000, `${written} bytes were taken`);
});

test('audio that breaks off is not passed off as whole: the connection is cut', async () => {
  await using node = await scriptedNode((_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': '1000' });
    reply.response.write('half', () => reply.socket.destroy());
  });
  await using router = await startDataPlane([{ url: node.url }]);
  await assert.rejects(async () => (await speak(router)).arrayBuffer());
  const [settlement] = await router.settled(1);
  assert.deepEqual([settlement?.outcome, settlement?.attempts[0]?.end], ['interrupted', 'broken']);
});

test('a web page in place of audio is garbage, and another node is asked', async () => {
  await using portal = await scriptedNode(audio(Buffer.from('<html>log in</html>'), 'text/html'));
  await using node = await scriptedNode(audio(Buffer.from('sound')));
  await using router = await startDataPlane([
    { url: portal.url, slots: 100 },
    { url: node.url, slots: 1 },
  ]);
  for (let turn = 0; turn < 3; turn += 1) assert.equal(await (await speak(router)).text(), 'sound');
  assert.ok(portal.requests.length > 0);
});

test('only an endpoint for sound may answer with bytes', async () => {
  await using node = await scriptedNode(audio(Buffer.from('sound')));
  await using router = await startDataPlane([{ url: node.url }]);
  assert.equal((await router.chat()).status, 502);
});
