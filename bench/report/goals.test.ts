import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candidate } from '../candidates/candidate.ts';
import type { Part, Round } from '../parts/part.ts';
import { parts } from '../parts/parts.ts';
import type { Entry, PartResult } from '../parts/run-part.ts';
import { judgeGoals } from './goals.ts';
import { countedRounds, cpuRatio, tableOf } from './table.ts';

const quantiles = { count: 1, p50: 1, p95: 2, p99: 3, p999: 4, max: 5 };

function round(cpuMicros: number, more: Partial<Round> = {}): Round {
  const seen = {
    sent: 10,
    good: 10,
    windowSeconds: 1,
    cpuStartMs: 0,
    cpuEndMs: 0,
    wrong: {},
    totalMs: quantiles,
    ownMs: quantiles,
    connectionsOpened: 1,
    memory: { rssMb: 100, anonMb: 50 },
    lateMs: 0,
  };
  return { seen, perSecond: 10, cpuMicros, cpuMicrosByThread: {}, foreignShare: 0, flaw: null, ...more };
}

function entry(name: string, kind: Candidate['kind'], rounds: readonly Round[]): Entry {
  const candidate: Candidate = {
    name,
    kind,
    version: '1',
    configuration: () => '',
    start: () => Promise.reject(new Error('not in this test')),
  };
  return { candidate, rounds, startMs: 1, idle: { rssMb: 60, anonMb: 38 }, failure: null };
}

function resultOf(name: string, entries: readonly Entry[]): PartResult {
  const part = parts.find((each: Part) => each.name === name);
  assert.ok(part);
  return { part, entries };
}

test('a flawed round counts for nobody, and its pair neither', () => {
  const weir = entry('weir', 'weir', [round(40), round(400, { flaw: 'wrong answers' }), round(60)]);
  const nginx = entry('nginx', 'proxy', [round(20), round(20), round(20)]);
  const result = resultOf('json', [weir, nginx]);
  assert.deepEqual(cpuRatio(result, weir, 'nginx'), { median: 2.5, min: 2, max: 3, rounds: 2 });
  assert.match(tableOf(result)[1]?.at(-1) ?? '', /^1 of 3$/);
});

test('a disturbed round is left out while three calm ones are left', () => {
  const loud = { foreignShare: 0.5 };
  const enough = entry('weir', 'weir', [round(1), round(2), round(3), round(90, loud)]);
  assert.equal(countedRounds(enough).rounds.filter((each) => each !== null).length, 3);
  const tooFew = entry('weir', 'weir', [round(1), round(2), round(90, loud), round(91, loud)]);
  assert.equal(countedRounds(tooFew).rounds.filter((each) => each !== null).length, 4);
});

test('goals are judged by the sound rounds of their part, and left open without them', () => {
  const weir = entry('weir', 'weir', [round(44), round(50), round(60)]);
  const nginx = entry('nginx', 'proxy', [round(20), round(20), round(20)]);
  const other = entry('other', 'router', [round(40), round(40), round(50)]);
  const judged = judgeGoals([resultOf('json', [weir, nginx, other])]);
  const of = (goal: string): string => {
    const found = judged.find((each) => each.goal === goal);
    return `${found?.seen} ${found?.verdict}`;
  };
  assert.equal(of('JSON 1 KB, CPU per request against nginx'), '2.5× at least');
  assert.equal(of('CPU per request against the cheapest other router'), '1.2× at least');
  assert.equal(of('refusing, CPU per refused request'), '– open');
  const flawed = entry('weir', 'weir', [round(10, { flaw: 'records' })]);
  const open = judgeGoals([resultOf('json', [flawed, nginx])]);
  assert.deepEqual(
    open.map(({ verdict }) => verdict),
    open.map(() => 'open'),
  );
});
