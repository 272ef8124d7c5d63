import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:tls';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { chunk, fileHead, formEnd, formField, lastField, uploadHead } from '../support/form-text.ts';
import { lastAnswer, rawClient } from '../support/raw-client.ts';
import { rawNode } from '../support/raw-node.ts';
import { held } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startDataPlane } from '../support/start-data-plane.ts';
import { feed } from '../support/feed.ts';
import { until } from '../support/until.ts';

const MB = 1024 * 1024;
const start = formField('model', 'llama3') + fileHead;
const half = 'x'.repeat(300_000);

/** What a node received behind the head of its last request. */
const bodyIn = (received: string): string => received.slice(received.indexOf('\r\n\r\n') + 4);

const tlsText = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');

const whole = start.length + half.length;

for (const [what, length, rest, answer] of [
  ['names its model twice', null, chunk(half + lastField('model', 'other')), [400, 'invalid_model']],
  ['has an odd part', null, chunk(`${half}\r\n--xYz\r\nno head\r\n\r\n`), [400, 'invalid_form']],
  ['ends before its last boundary', null, `${chunk(half)}0\r\n\r\n`, [400, 'invalid_form']],
  ['ends so with its length told', whole + half.length, half, [400, 'invalid_form']],
  ['is longer than allowed', null, chunk('x'.repeat(700_000)), [413, 'body_too_large']],
  ['is broken', null, 'no chunk at all\r\n', [400, 'invalid_header']],
] as const) {
  test(`an upload that ${what} is refused, and the node that has the start of it never takes it for whole`, async () => {
    await using node = await rawNode(() => undefined);
    await using router = await startDataPlane([{ url: node.url }], { limits: { bodyBytes: 950_000 } });
    using client = rawClient(router.url);
    client.send(uploadHead(length) + (length === null ? chunk(start + half) : start + half));
    await until(() => node.connections[0]?.received().includes(half.slice(0, 1000)), { what: 'the start' });
    client.send(rest);
    await client.sees(`"code":"${answer[1]}"`);
    assert.equal(lastAnswer(client.received()).status, answer[0]);
    await until(() => node.open() === 0, { what: 'the node to be left' });
    const received = bodyIn(node.connections[0]?.received() ?? '');
    if (length === null) assert.ok(!received.endsWith('\r\n0\r\n\r\n'));
    else assert.ok(received.length < length);
    const [settled] = await router.settled(1);
    assert.deepEqual([settled?.outcome, settled?.code], ['rejected', answer[1]]);
  });
}

test('a client that stops in the middle of its upload is told so, a slow one is not, and its node is not blamed', async () => {
  const clock = new ManualClock();
  await using node = await rawNode(() => undefined);
  const timeouts = { clientBodyMs: 1000, firstByteMs: 1500 };
  await using router = await startDataPlane([{ url: node.url }], { timeouts }, { clock });
  using client = rawClient(router.url);
  client.send(uploadHead(null) + chunk(start));
  for (let turn = 1; turn <= 4; turn += 1) {
    const mark = `part ${turn};`;
    client.send(chunk(mark));
    await until(() => node.connections[0]?.received().includes(mark), { what: mark });
    clock.advance(900);
    assert.equal(client.received(), '');
  }
  clock.advance(100);
  await client.sees('"code":"body_timeout"');
  await until(() => node.open() === 0, { what: 'the node to be left' });
  const [settled] = await router.settled(1);
  assert.deepEqual([settled?.status, settled?.attempts[0]?.end], [408, 'client-gone']);
});

test('from the end of an upload on its node has its time to answer', async () => {
  const clock = new ManualClock();
  await using node = await rawNode(() => undefined);
  const timeouts = { clientBodyMs: 10_000, firstByteMs: 1500 };
  await using router = await startDataPlane([{ url: node.url }], { timeouts }, { clock });
  using client = rawClient(router.url);
  client.send(uploadHead(null) + chunk(start));
  await until(() => node.connections.length === 1, { what: 'the node' });
  clock.advance(1400);
  client.send(`${chunk(formEnd)}0\r\n\r\n`);
  await until(() => node.connections[0]?.received().endsWith('\r\n0\r\n\r\n'), { what: 'the end' });
  clock.advance(1499);
  assert.equal(router.plane.gauges().openLeases, 1);
  clock.advance(1);
  await client.sees('"code":"upstream_timeout"');
});

for (const [status, code, expected] of [
  ['422 Unprocessable Entity', 422, /"message":"no such language"/],
  ['200 OK', 200, /"message":"no such language"/],
] as const) {
  test(`a node's answer ${code} that comes before the upload is through reaches its client, which then has a second to take it`, async () => {
    const clock = new ManualClock();
    const body = '{"error":null,"message":"no such language"}';
    await using node = await rawNode((_piece, { socket, received }) => {
      if (received().endsWith(half)) {
        socket.write(
          `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
      }
    });
    await using router = await startDataPlane([{ url: node.url }], {}, { clock });
    const length = start.length + half.length + 1000;
    using silent = rawClient(router.url);
    using sending = rawClient(router.url);
    for (const client of [silent, sending]) {
      client.send(uploadHead(length) + start + half);
      await client.sees(expected);
      const answer = lastAnswer(client.received());
      assert.deepEqual([answer.status, answer.headers.get('connection')], [code, 'close']);
    }
    await until(() => node.open() === 0, { what: 'the node to be left' });
    sending.send(Buffer.alloc(1000));
    await sending.closed();
    assert.equal(silent.isClosed(), false);
    clock.advance(1000);
    await silent.closed();
    await router.settled(2);
  });
}

test('a refused client that sends the rest of its upload at once is let go without more ado', async () => {
  await using node = await rawNode(() => undefined);
  await using router = await startDataPlane([{ url: node.url }], {}, { clock: new ManualClock() });
  using client = rawClient(router.url);
  const bad = start + half + lastField('model', 'other');
  client.send(uploadHead(bad.length + 1000) + bad);
  await client.sees('"code":"invalid_model"');
  client.send(Buffer.alloc(1000));
  await client.closed();
});

test('the time in which a node takes nothing of an upload is not its client’s', async () => {
  const clock = new ManualClock();
  await using node = await rawNode((_piece, { socket }) => void socket.pause());
  const timeouts = { clientBodyMs: 1000, firstByteMs: 5000 };
  await using router = await startDataPlane(
    [{ url: node.url }],
    { timeouts, limits: { bodyBytes: 256 * MB } },
    { clock },
  );
  using client = rawClient(router.url);
  client.send(uploadHead(start.length + 100 * MB + formEnd.length) + start);
  await until(() => node.connections.length === 1, { what: 'the node' });
  await feed(client, 100).stuck();
  clock.advance(4999);
  assert.equal(router.plane.gauges().openLeases, 1);
  clock.advance(1);
  await client.sees('"code":"upstream_timeout"');
});

test('an upload is not sent again where a node refuses our certificate after its start', async (context) => {
  const choosy = createTlsServer({
    cert: tlsText('cert.pem'),
    key: tlsText('key.pem'),
    requestCert: true,
    minVersion: 'TLSv1.3',
  });
  context.after(() => choosy.close());
  choosy.listen(0, '127.0.0.1');
  await once(choosy, 'listening');
  const address = choosy.address();
  assert.ok(typeof address === 'object' && address);
  await using node = await scriptedNode((_request, reply) => reply.json(200, { text: 'hello' }));
  await using router = await startDataPlane([
    { url: `https://127.0.0.1:${address.port}`, tls: { verify: false }, slots: 100 },
    { url: node.url, slots: 1 },
  ]);
  using client = rawClient(router.url);
  client.send(uploadHead(start.length + half.length + formEnd.length) + start);
  await client.sees('"code":"upstream_failed"');
  assert.equal(node.requests.length, 0);
  const [settled] = await router.settled(1);
  assert.deepEqual(
    settled?.attempts.map(({ end }) => end),
    ['connect-failed'],
  );
});

test('when its client leaves in the middle of an upload, the node sees its connection closed', async () => {
  await using node = await rawNode(() => undefined);
  await using router = await startDataPlane([{ url: node.url }]);
  const client = rawClient(router.url);
  client.send(uploadHead(30 * MB) + start + half);
  await until(() => node.connections[0]?.received().endsWith(half), { what: 'the start' });
  client.socket.destroy();
  await until(() => node.open() === 0, { what: 'the node to be left' });
  const [settled] = await router.settled(1);
  assert.equal(settled?.outcome, 'gone');
});

test('an upload whose node cannot be reached goes to another, one that was begun does not', async () => {
  await using breaking = await rawNode((_piece, { socket, received }) => {
    if (received().includes(half.slice(0, 1000))) socket.resetAndDestroy();
  });
  await using node = await scriptedNode((_request, reply) => reply.json(200, { text: 'hello' }));
  const down = { url: 'http://127.0.0.1:1', slots: 100 };
  await using router = await startDataPlane([down, { url: node.url, slots: 1 }]);
  const send = async (code: number): Promise<void> => {
    using client = rawClient(router.url);
    client.send(uploadHead(start.length + half.length + formEnd.length) + start + half + formEnd);
    await client.sees(`HTTP/1.1 ${code} `);
  };
  await send(200);
  assert.deepEqual(
    (await router.settled(1))[0]?.attempts.map(({ end }) => end),
    ['connect-failed', 'complete'],
  );
  router.publish([
    { url: breaking.url, slots: 100, generation: 2 },
    { url: node.url, slots: 1, generation: 2 },
  ]);
  await send(502);
  assert.equal(node.requests.length, 1);
});

test('a client that leaves while it is held back gives its turn away when that comes', async () => {
  const gate = held((_request, reply) => reply.json(200, { text: 'hello' }));
  await using node = await scriptedNode({ paths: { '/v1/chat/completions': gate.answer } });
  await using router = await startDataPlane([{ url: node.url, slots: 1 }]);
  const running = router.chat();
  await until(() => gate.waiting() === 1, { what: 'the slot to be taken' });
  const client = rawClient(router.url);
  client.send(uploadHead(30 * MB) + start);
  await until(() => router.plane.gauges().waiters === 1, { what: 'the upload to wait' });
  client.send(half);
  client.socket.destroy();
  await client.closed();
  gate.release();
  await running;
  assert.deepEqual(
    (await router.settled(2)).map(({ outcome }) => outcome),
    ['served', 'gone'],
  );
  assert.equal(node.count('/v1/audio/transcriptions'), 0);
});
