import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Timeline } from '../timeline.ts';
import { Engine } from './engine.ts';
import { iterationsMs, iterationsWithin, type EngineModel } from './engine-model.ts';
import type { JobEvents, Work } from './job.ts';

const plain: EngineModel = {
  kind: 'vllm',
  slots: 4,
  stepMs: 10,
  perSequenceMs: 1,
  perContextTokenMs: 0,
  promptTokensPerSecond: 1000,
  perPromptTokenSquaredMs: 0,
  chunkTokens: null,
  kvTokens: 100_000,
  prefixCache: 'none',
  maxWaiting: Infinity,
  models: ['m'],
  loadMs: 0,
  maxResident: 1,
  cold: false,
};

interface Watched {
  readonly log: string[];
  tokens: number;
  firstAt: number | null;
  endedAt: number | null;
  cached: number;
}

class Bench {
  readonly timeline = new Timeline();
  readonly engine: Engine;

  constructor(model: Partial<EngineModel>) {
    this.engine = new Engine({ ...plain, ...model }, this.timeline);
  }

  submit(work: Partial<Work>): Watched {
    const seen: Watched = { log: [], tokens: 0, firstAt: null, endedAt: null, cached: 0 };
    const events: JobEvents = {
      started: (cached) => {
        seen.cached = cached;
      },
      tokens: (count) => {
        seen.tokens += count;
        seen.firstAt ??= this.timeline.now();
      },
      ended: () => {
        seen.endedAt = this.timeline.now();
      },
      failed: (end) => seen.log.push(end),
    };
    const full = {
      model: 'm',
      promptTokens: 100,
      outputTokens: 10,
      blocks: [],
      answerBlocks: [],
      blockTokens: 64,
      ...work,
    };
    if (!this.engine.submit(full, events)) seen.log.push('overloaded');
    return seen;
  }
}

test('a request alone takes its prompt and one step per token', () => {
  const bench = new Bench({});
  const seen = bench.submit({ promptTokens: 500, outputTokens: 11 });
  bench.timeline.run(1e9);
  // The prompt's iteration (10 ms + 500 ms) gives the first token, ten steps of 11 ms the others.
  assert.equal(seen.firstAt, 510);
  assert.equal(seen.endedAt, 510 + 10 * 11);
  assert.equal(seen.tokens, 11);
});

test('a blocking prompt stops those who decode, a chunked one slows them down', () => {
  for (const chunkTokens of [null, 101]) {
    const bench = new Bench({ chunkTokens });
    const first = bench.submit({ promptTokens: 100, outputTokens: 40 });
    bench.timeline.run(200);
    bench.submit({ promptTokens: 1000, outputTokens: 2 });
    bench.timeline.run(1215);
    // Ten tokens by the end of the iteration in which the prompt arrives, at 209 ms; an iteration with a hundred prompt tokens takes 111 ms and gives one.
    assert.equal(first.tokens, chunkTokens === null ? 10 : 19);
  }
});

test('a step takes longer with every sequence in the batch', () => {
  const bench = new Bench({});
  const all = [1, 2, 3, 4].map(() => bench.submit({ promptTokens: 1, outputTokens: 101 }));
  bench.timeline.run(1e9);
  const [last] = all.toReversed();
  // Four prompts of 11 ms each, then 100 steps of 10 + 4 ms, less what the first ones had ahead.
  assert.equal(last?.endedAt, 44 + 100 * 14);
});

test('more than the slots wait their turn, more than the queue holds are refused', () => {
  const bench = new Bench({ slots: 1, maxWaiting: 1 });
  const [first, second, third] = [bench.submit({}), bench.submit({}), bench.submit({})];
  assert.deepEqual(third.log, ['overloaded']);
  bench.timeline.run(1e9);
  assert.ok((first.endedAt ?? Infinity) < (second.firstAt ?? 0));
});

test('blocks of an earlier prompt need not be computed again, until others take their room', () => {
  const bench = new Bench({ prefixCache: 'blocks', kvTokens: 1000, slots: 1 });
  const blocks = [1, 2, 3, 4];
  bench.submit({ promptTokens: 256, blocks });
  bench.timeline.run(1e6);
  const again = bench.submit({ promptTokens: 256, blocks: [1, 2, 3, 9] });
  bench.timeline.run(2e6);
  assert.equal(again.cached, 3 * 64);
  bench.submit({ promptTokens: 960, blocks: Array.from({ length: 15 }, (_, at) => 100 + at) });
  bench.timeline.run(3e6);
  const late = bench.submit({ promptTokens: 256, blocks });
  assert.equal(late.cached, 0);
});

test('a slot keeps the prompt it served last, and loses it to the next', () => {
  const bench = new Bench({ prefixCache: 'slots', slots: 2 });
  const chat = [1, 2, 3];
  bench.submit({ promptTokens: 192, blocks: chat, answerBlocks: [4] });
  bench.timeline.run(1e6);
  const next = bench.submit({ promptTokens: 300, blocks: [...chat, 4] });
  bench.timeline.run(2e6);
  assert.equal(next.cached, 256);
  const others = [bench.submit({ promptTokens: 64, blocks: [7] }), bench.submit({ promptTokens: 64, blocks: [8] })];
  bench.timeline.run(3e6);
  assert.deepEqual(
    others.map(({ cached }) => cached),
    [0, 0],
  );
  assert.equal(bench.submit({ promptTokens: 192, blocks: chat }).cached, 0);
});

test('a slot keeps the prompt of a request that was aborted once it was computed', () => {
  const timeline = new Timeline();
  const engine = new Engine({ ...plain, prefixCache: 'slots', slots: 1 }, timeline);
  const events: JobEvents = { started: nothing, tokens: nothing, ended: nothing, failed: nothing };
  const work = {
    model: 'm',
    promptTokens: 192,
    outputTokens: 1000,
    blocks: [1, 2, 3],
    answerBlocks: [],
    blockTokens: 64,
  };
  const job = engine.submit(work, events);
  timeline.run(1_000);
  if (job) engine.abort(job);
  timeline.run(2_000);
  let cached = -1;
  engine.submit(work, { ...events, started: (tokens) => (cached = tokens) });
  assert.equal(cached, 191);
});

test('when memory is full the newest sequence is computed again later, and all still end', () => {
  const bench = new Bench({ prefixCache: 'none', kvTokens: 1000 });
  const all = [1, 2, 3].map(() => bench.submit({ promptTokens: 300, outputTokens: 200 }));
  bench.timeline.run(1e9);
  assert.ok(bench.engine.preemptions > 0);
  for (const seen of all) {
    assert.equal(seen.tokens, 200);
    assert.notEqual(seen.endedAt, null);
  }
});

test('a model out of memory is loaded first, and waits for the running one to end where both do not fit', () => {
  const bench = new Bench({ models: ['a', 'b'], loadMs: 5000, maxResident: 1, cold: true });
  const a = bench.submit({ model: 'a', promptTokens: 1, outputTokens: 100 });
  bench.timeline.run(5500);
  assert.equal(a.firstAt, 5011);
  const b = bench.submit({ model: 'b', promptTokens: 1, outputTokens: 1 });
  // Behind b, though its own model is there.
  const late = bench.submit({ model: 'a', promptTokens: 1, outputTokens: 1 });
  bench.timeline.run(1e9);
  assert.equal(b.firstAt, (a.endedAt ?? 0) + 5000 + 11);
  assert.ok((late.firstAt ?? 0) > (b.endedAt ?? Infinity));
  assert.equal(bench.engine.loads, 3);
});

test('a crash breaks what had begun and resets what had not; afterwards it computes again', () => {
  const bench = new Bench({ slots: 1, loadMs: 1000 });
  const [running, waiting] = [bench.submit({ outputTokens: 1000 }), bench.submit({})];
  bench.timeline.run(500);
  bench.engine.crash();
  assert.deepEqual([running.log, waiting.log], [['broken'], ['reset']]);
  bench.engine.restart();
  const after = bench.submit({});
  bench.timeline.run(1e9);
  // It loads its model anew.
  assert.equal(after.firstAt, 500 + 1000 + 110);
});

test('a frozen engine goes on where it stopped; a slow one takes its factor longer', () => {
  const bench = new Bench({});
  const seen = bench.submit({ promptTokens: 1, outputTokens: 11 });
  bench.timeline.run(50);
  bench.engine.freeze();
  bench.timeline.run(10_050);
  bench.engine.thaw();
  bench.timeline.run(1e9);
  assert.equal(seen.endedAt, 11 + 10 * 11 + 10_000);
  const slow = new Bench({});
  slow.engine.slow(3);
  const late = slow.submit({ promptTokens: 1, outputTokens: 11 });
  slow.timeline.run(1e9);
  assert.equal(late.endedAt, 3 * 121);
});

test('an aborted request frees its slot at the end of the iteration', () => {
  const timeline = new Timeline();
  const engine = new Engine({ ...plain, slots: 1 }, timeline);
  const events: JobEvents = { started: nothing, tokens: nothing, ended: nothing, failed: nothing };
  const work = { model: 'm', promptTokens: 1, outputTokens: 1000, blocks: [], answerBlocks: [], blockTokens: 64 };
  const job = engine.submit(work, events);
  let startedAt = 0;
  engine.submit(work, { ...events, started: () => (startedAt = timeline.now()) });
  timeline.run(100);
  if (job) engine.abort(job);
  timeline.run(1000);
  assert.equal(startedAt, 110);
});

test('leaps are as long as their iterations one by one, for any engine', () => {
  fc.assert(
    fc.property(
      number(50),
      number(200),
      number(64),
      number(5000),
      fc.nat(512),
      fc.nat(5000),
      (n, b, c, ctx, prompt, from) => {
        const model = { ...plain, stepMs: b / 10, perContextTokenMs: 1e-4, perPromptTokenSquaredMs: 1e-6 };
        let sum = 0;
        for (let at = 0; at < n; at++) {
          sum += iterationsMs(model, { decoding: c, context: ctx + at * c, prompt, from: from + at * prompt }, 1);
        }
        const iteration = { decoding: c, context: ctx, prompt, from };
        const whole = iterationsMs(model, iteration, n);
        assert.ok(Math.abs(whole - sum) < 1e-6 * sum, `${whole} ${sum}`);
        assert.equal(iterationsWithin(model, iteration, n + 5, whole + 1e-6), n);
      },
    ),
  );
});

function number(max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max });
}

function nothing(): void {
  // Not looked at.
}
