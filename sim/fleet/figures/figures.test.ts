import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRecord, type RequestRecord } from '../record.ts';
import { Fairness, jain } from './fairness.ts';
import { judgeRetryAfter } from './retry-after-truth.ts';
import { figuresOf, imbalanceOf, spreadOf } from './figures.ts';

const objective = { ttftMs: 2000, ttftMsPerPromptToken: 0.25, tpotMs: 100 };

function record(id: number, caller: number, of: Partial<Omit<RequestRecord, 'request'>>): RequestRecord {
  const seen = { id, model: 'm', caller, arrivedAt: 1000 * id, promptTokens: 400, bytes: 1600, maxTokens: null };
  const request = {
    seen: { ...seen, blocks: [], blockTokens: 64, deadlineMs: 60_000 },
    outputTokens: 11,
    answerBlocks: [],
  };
  return Object.assign(newRecord(request), of);
}

/** First token after `ttft`, then ten more at `tpot` ms each. */
function served(id: number, caller: number, ttft: number, tpot: number): RequestRecord {
  const firstAt = 1000 * id + ttft;
  return record(id, caller, {
    outcome: 'served',
    startedAt: firstAt,
    firstAt,
    endedAt: firstAt + 10 * tpot,
    tokens: 11,
  });
}

test('goodput counts the offered requests that kept both objectives', () => {
  const { goodput, requests, refusals } = figuresOf(
    [
      served(0, 0, 2100, 100),
      served(1, 0, 2101, 100),
      served(2, 0, 100, 101),
      record(3, 0, { outcome: 'refused', why: 'wait_timeout', endedAt: 4000 }),
      record(4, 0, { outcome: 'interrupted', firstAt: 4100, endedAt: 4500, tokens: 3 }),
    ],
    objective,
    0,
  );
  assert.equal(goodput, 1 / 5);
  assert.deepEqual(requests, { offered: 5, served: 3, refused: 1, interrupted: 1, gone: 0 });
  assert.deepEqual(refusals, { wait_timeout: 1 });
});

test('a refused request counts as its deadline among the times to the first token', () => {
  const records = [served(0, 0, 500, 10), record(1, 0, { outcome: 'refused', endedAt: 1001 })];
  const { ttftMs, ttftServedMs } = figuresOf(records, objective, 0);
  assert.equal(ttftMs.p99, 60_000);
  assert.equal(ttftServedMs.p99, 500);
});

test('the worst caller is the one with the least goodput, and the warm-up is left out', () => {
  const records = [
    record(0, 2, { outcome: 'refused', endedAt: 1 }),
    served(1, 0, 100, 10),
    served(2, 1, 9000, 10),
    served(3, 0, 100, 10),
  ];
  assert.equal(figuresOf(records, objective, 0).worstCaller.caller, 2);
  const { worstCaller, requests } = figuresOf(records, objective, 0.25);
  assert.deepEqual(worstCaller, { caller: 1, offered: 1, goodput: 0, ttftP99Ms: 9000, waitP99Ms: 9000 });
  assert.equal(requests.offered, 3);
});

function refused(id: number, truthMs: number | null, toldMs: number | null): RequestRecord {
  const refusedAt = 1000 * id;
  const openAt = truthMs === null ? null : refusedAt + truthMs;
  return record(id, 0, { outcome: 'refused', why: 'capacity_exceeded', refusedAt, openAt, toldMs });
}

test('Retry-After is judged by when the same request would have been let in', () => {
  const records = [
    refused(0, 4000, 8_100),
    refused(1, 3000, 5_000),
    refused(2, 2000, 1_000),
    refused(3, 1000, null),
    refused(4, null, 1_000),
  ];
  assert.deepEqual(judgeRetryAfter(records), { judged: 3, withinTwo: 2 / 3, medianRatio: 5 / 3 });
  assert.equal(judgeRetryAfter([refused(0, 70_000, 1_000), refused(1, 400, 1_000)]).judged, 0);
});

test('quantiles are by the nearest rank; imbalance is the largest over the mean', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  assert.deepEqual(spreadOf(hundred), { mean: 50.5, p50: 50, p90: 90, p99: 99 });
  assert.equal(imbalanceOf([1, 1, 4]), 2);
  assert.equal(imbalanceOf([0, 0]), 1);
});

test("Jain's index is 1 for equal shares and 1/n where one has all", () => {
  assert.equal(jain([3, 3, 3]), 1);
  assert.equal(jain([8, 0, 0, 0]), 0.25);
  assert.equal(jain([5]), null);
});

test('fairness looks only at windows and callers that were backlogged throughout', () => {
  const fairness = new Fairness(3);
  // Callers 0 and 1 have two requests waiting each; caller 2 only one, which starts at once.
  for (const caller of [0, 0, 1, 1, 2]) fairness.arrived(caller, 0);
  fairness.started(2, 0);
  fairness.served(2, 1000, 5000);
  // The first window does not count: nobody waited at its beginning.
  fairness.served(0, 30, 12_000);
  fairness.served(1, 10, 12_000);
  fairness.served(2, 1000, 12_000);
  fairness.started(0, 25_000);
  fairness.started(0, 25_000);
  fairness.served(0, 7, 31_000);
  assert.deepEqual(fairness.result(), { jain: (40 * 40) / (2 * (900 + 100)), windows: 1 });
});
