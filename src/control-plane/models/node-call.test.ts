import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { frozen } from '../../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../../test/support/scripted-node.ts';
import { until } from '../../../test/support/until.ts';
import { createHttpClient } from '../../http-client/http-client.ts';
import { systemClock } from '../../lib/clock.ts';
import { type NodeCall, nodeCall } from './node-call.ts';

function callTo(url: string, signal = new AbortController().signal): NodeCall & Disposable {
  const client = createHttpClient({ maxIdlePerNode: 1, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, systemClock);
  const target = { pool: 'n', origin: url, tls: null, connectMs: 1000 };
  const call = nodeCall(client, systemClock, { target, basePath: '/base', headers: ['x-key', 'k'] }, signal);
  return {
    ask: (...given) => call.ask(...given),
    lines: (...given) => call.lines(...given),
    pause: (ms) => call.pause(ms),
    get isOver() {
      return call.isOver;
    },
    [Symbol.dispose]: () => client.close(),
  };
}

test('lines are whole wherever the bytes are cut, in the middle of a character too', async () => {
  const bytes = Buffer.from('{"status":"häppy"}\n\n{"status":"b"}\r\nnonsense\n{"status":"the last, without an end"}');
  await using node = await scriptedNode({
    paths: {
      '/base/x': async (_request, { response }) => {
        for (const byte of bytes) {
          response.write(Buffer.of(byte));
          await turn();
        }
        response.end();
      },
    },
  });
  using call = callTo(node.url);
  const seen: unknown[] = [];
  const { status } = await call.lines('/x', { a: 1 }, 5000, (line) => seen.push(line));
  assert.equal(status, 200);
  const last = { status: 'the last, without an end' };
  assert.deepEqual(seen, [{ status: 'häppy' }, { status: 'b' }, undefined, last]);
  const [asked] = node.requests;
  assert.deepEqual([asked?.method, asked?.headers['x-key'], asked?.json()], ['POST', 'k', { a: 1 }]);
});

test('a line without end, and an answer beyond all measure, are broken off', async () => {
  await using node = await scriptedNode({
    paths: { '/base/x': (_request, { response }) => void response.end(Buffer.alloc(5 * 1024 * 1024, 'x')) },
  });
  using call = callTo(node.url);
  await assert.rejects(
    call.lines('/x', {}, 5000, () => undefined),
    /longer than/,
  );
  await assert.rejects(call.ask('GET', '/x', null, 5000), /longer than/);
});

test('an abort ends a question and a pause at once', async () => {
  await using node = await scriptedNode({ paths: { '/base/x': frozen } });
  const control = new AbortController();
  using call = callTo(node.url, control.signal);
  const asking = call.ask('POST', '/x', {}, 60_000);
  const pausing = call.pause(60_000);
  await until(() => node.count('/base/x') === 1, { what: 'the question' });
  assert.equal(call.isOver, false);
  control.abort();
  await assert.rejects(asking, /called off/);
  await pausing;
  await call.pause(60_000);
  assert.equal(call.isOver, true);
});
