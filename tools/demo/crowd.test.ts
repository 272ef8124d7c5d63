import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/lib/clock.ts';
import { chat, deltaEvent, frozen, inTurn, type Scripted, status } from '../../test/support/scripted-answers.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { until } from '../../test/support/until.ts';
import { Crowd, endingOf } from './crowd.ts';

const broken: Scripted = (_request, reply) => {
  reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.response.end(deltaEvent('half'));
};
const reset: Scripted = (_request, reply) => reply.reset();
const PATH = '/v1/chat/completions';

test('each answer is booked under what it was', async () => {
  await using node = await scriptedNode(
    inTurn(chat, status(503, { 'retry-after': '1' }), status(504), broken, reset, status(500), frozen),
  );
  const clock = new ManualClock();
  // 0.99: nobody is in a hurry and nobody hangs up; thinking takes close to 600 ms.
  const crowd = new Crowd({ url: node.url, model: 'llama3', clock, random: () => 0.99 });
  crowd.resize(1);
  await until(() => (clock.advance(100), node.count(PATH) === 7), { what: 'seven requests' });
  assert.deepEqual(crowd.tally.counts, { served: 1, refused: 1, timedOut: 1, failed: 3, gone: 0 });
  assert.deepEqual([crowd.tally.sent, crowd.tally.open, crowd.size], [7, 1, 1]);
  crowd.abandon();
  await until(() => crowd.tally.open === 0 && crowd.size === 0, { what: 'the last one to give up' });
});

test('a refused client stays away as long as it was told, within its patience', async () => {
  for (const [told, staysAwayMs] of [
    ['2', 2000],
    ['60', 4000],
  ] as const) {
    await using node = await scriptedNode(status(503, { 'retry-after': told }));
    const clock = new ManualClock();
    const crowd = new Crowd({ url: node.url, model: 'llama3', clock, random: () => 0.99 });
    crowd.resize(1);
    await until(() => crowd.tally.counts.refused === 1, { what: 'the refusal' });
    await until(() => (clock.advance(100), node.count(PATH) === 2), { what: 'it to come back' });
    assert.ok(clock.now() >= staysAwayMs, `back after ${clock.now()} ms`);
    crowd.abandon();
  }
});

test('hurried clients say so and leaving ones hang up', async () => {
  await using node = await scriptedNode(frozen);
  const clock = new ManualClock();
  const crowd = new Crowd({ url: node.url, model: 'llama3', clock, random: () => 0 });
  crowd.resize(1);
  await until(() => node.count(PATH) === 1, { what: 'the request' });
  assert.equal(node.requests[0]?.headers['x-weir-max-wait-ms'], '400');
  clock.advance(50);
  await until(() => node.sockets().open === 0, { what: 'the connection to be gone' });
  assert.equal(crowd.tally.counts.gone, 1);
  await crowd.disperse();
});

test('a crowd that disperses finishes what it asked and asks nothing more', async () => {
  await using node = await scriptedNode(chat);
  const crowd = new Crowd({ url: node.url, model: 'llama3', clock: new ManualClock(), random: () => 0.99 });
  crowd.resize(5);
  await crowd.disperse();
  assert.deepEqual([crowd.tally.sent, crowd.tally.counts.served, crowd.size], [5, 5, 0]);
  assert.equal(node.count(PATH), 5);
});

test('a stream without its end marker was not served', () => {
  assert.equal(endingOf(200, 'data: {}\n\ndata: [DONE]\n\n'), 'served');
  assert.equal(endingOf(200, 'event: error\ndata: {}\n\n'), 'failed');
  assert.equal(endingOf(502, ''), 'failed');
});
