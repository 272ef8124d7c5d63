import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { ExchangeError } from '../../http-client/exchange.ts';
import { ContextLengths } from './context-lengths.ts';
import type { CallAnswer, NodeCall } from './node-call.ts';

function show(tokens: number): CallAnswer {
  return { status: 200, json: { model_info: { 'general.architecture': 'q', 'q.context_length': tokens } } };
}

/** A node that answers as told, and the names it was asked for. */
function stage(answer: (name: string) => CallAnswer) {
  const clock = new ManualClock();
  const contexts = new ContextLengths(clock);
  const asked: string[] = [];
  const call: NodeCall = {
    ask: async (_method, _path, body) => {
      const name = String(Object(body).model);
      asked.push(name);
      return answer(name);
    },
    lines: () => Promise.reject(new Error('not asked for')),
    pause: () => Promise.resolve(),
    isOver: false,
  };
  return { clock, contexts, asked, call };
}

test('what one node told of a digest is known for every node and is never asked for again', async () => {
  const { clock, contexts, asked, call } = stage(() => show(4096));
  await contexts.learn(call, [{ name: 'm', digest: 'd' }]);
  clock.advance(600_000);
  await contexts.learn(call, [{ name: 'other-name', digest: 'd' }]);
  assert.deepEqual([asked, contexts.of('d'), contexts.of('e'), contexts.of(undefined)], [['m'], 4096, null, null]);
});

test('what was not told is asked for again after a while, whatever was the matter', async () => {
  let tries = 0;
  const { clock, contexts, asked, call } = stage(() => {
    tries += 1;
    if (tries === 1) throw new ExchangeError('reset', new Error('gone'));
    return tries === 2 ? { status: 500, json: undefined } : show(2048);
  });
  for (let minute = 0; minute < 4; minute += 1) {
    await contexts.learn(call, [{ name: 'm', digest: 'd' }]);
    await contexts.learn(call, [{ name: 'm', digest: 'd' }]);
    clock.advance(60_000);
  }
  assert.deepEqual([asked.length, contexts.of('d')], [3, 2048]);
});
