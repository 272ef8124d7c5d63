import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { refused, served } from './checks.ts';
import { closedLoop } from './closed-loop.ts';
import { openLoop } from './open-loop.ts';
import { streamLoad } from './stream-load.ts';
import { Stub } from './stub.ts';
import type { Target } from './target.ts';
import { MODEL } from './texts.ts';

function targetAt(url: string): Target {
  return { url, basePath: '', headers: {}, model: MODEL, cpuMs: () => 0, memory: () => ({ rssMb: 0, anonMb: 0 }) };
}

/** A bad proxy: passes bytes on but changes what the node says. */
async function proxyTo(url: string, change: (bytes: Buffer) => Buffer): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((client) => {
    const node = connect(Number(new URL(url).port), '127.0.0.1');
    client.on('data', (bytes) => node.write(bytes));
    node.on('data', (bytes) => client.write(change(bytes)));
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await Promise.resolve();
    },
  };
}

const short = { bodyBytes: 1024, warmMs: 20, measureMs: 100 };

test('whole answers in closed and open loop are counted, timed and sound', async () => {
  await using stub = await Stub.start(1);
  const target = targetAt(stub.urls[0] ?? '');
  const closed = await closedLoop(target, { clients: 4, ...short });
  assert.deepEqual(closed.wrong, {});
  assert.ok(closed.good > 0 && closed.good <= closed.sent);
  assert.equal(stub.received, closed.sent);
  assert.ok(closed.ownMs.p50 <= closed.totalMs.p50);
  const open = await openLoop(target, { perSecond: 500, check: served, ...short });
  assert.deepEqual(open.wrong, {});
  assert.equal(open.sent, 60);
  assert.equal(open.good, 50);
});

test('an answer that is no refusal is wrong where refusals are asked for', async () => {
  await using stub = await Stub.start(1);
  const seen = await openLoop(targetAt(stub.urls[0] ?? ''), { perSecond: 500, check: refused, ...short });
  assert.deepEqual(seen.wrong, { 'status 200': 60 });
  assert.equal(seen.good, 0);
});

test('streams are followed to their ends, each event once', async () => {
  await using stub = await Stub.start(2);
  const seen = await streamLoad(targetAt(stub.urls[0] ?? ''), stub, {
    streams: 5,
    gapMs: 5,
    rampMs: 10,
    warmMs: 20,
    measureMs: 100,
  });
  assert.deepEqual(seen.wrong, {});
  assert.ok(seen.good > 0);
});

test('a stream that loses an event on its way is found', async () => {
  await using stub = await Stub.start(1);
  await using proxy = await proxyTo(stub.urls[0] ?? '', (bytes) => {
    // The fourth event is lost whole, chunk frame and all.
    const at = bytes.indexOf('"#000000003 ');
    if (at < 0) return bytes;
    const start = bytes.lastIndexOf('\r\ndata: ', at);
    const sizeAt = Math.max(bytes.lastIndexOf('\n', start - 1) + 1, 0);
    const end = bytes.indexOf('\n\n\r\n', at) + 4;
    return Buffer.concat([bytes.subarray(0, sizeAt), bytes.subarray(end)]);
  });
  const seen = await streamLoad(targetAt(proxy.url), stub, {
    streams: 3,
    gapMs: 5,
    rampMs: 10,
    warmMs: 20,
    measureMs: 60,
  });
  assert.deepEqual(seen.wrong, { 'an event missing': 3 });
});

test("a proxy that answers one client with another's answer is found", async () => {
  await using stub = await Stub.start(1);
  await using proxy = await proxyTo(stub.urls[0] ?? '', (bytes) => {
    const at = bytes.indexOf('"#0000000');
    if (at > 0) bytes.write('77', at + 9);
    return bytes;
  });
  const seen = await closedLoop(targetAt(proxy.url), { clients: 2, ...short });
  assert.equal(seen.good, 0);
  assert.deepEqual(Object.keys(seen.wrong), ["another request's answer"]);
});
