import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from './cell.ts';
import { play } from './play.ts';
import { plotOf } from './plot.ts';
import { reportOf } from './report.ts';
import { contenders, OURS, OURS_UNTOLD, quick } from './scenarios.ts';
import { standingsOf } from './standing.ts';

function cell(contender: string, goodput: readonly number[], p99: number, load = 1.3): Cell {
  const same = (value: number): number[] => goodput.map(() => value);
  const figures = {
    goodput,
    ttftP50S: same(1),
    ttftP99S: same(p99),
    msPerToken: same(20),
    refused: same(0),
    jain: same(1),
    worstCaller: same(0.5),
    hitRate: same(0),
    imbalance: same(1),
  };
  return { scenario: 'equal, chats', load, contender, offered: 100, figures };
}

const cells = [
  cell(OURS, [0.8, 0.82], 60),
  cell(OURS_UNTOLD, [0.6, 0.6], 10),
  cell('lmetric', [0.7, 0.7], 30),
  cell('min-ttft', [0.5, 0.5], 10),
  cell('lmetric+weir', [0.81, 0.81], 20),
];

test('we stand beside the best of each kind, which another figure may choose otherwise', () => {
  const [standing] = standingsOf(cells);
  assert.ok(standing);
  const { bestShipped, soonestShipped, bestBehind } = standing;
  assert.deepEqual(
    [bestShipped.contender, soonestShipped.contender, bestBehind.contender],
    ['lmetric', 'min-ttft', 'lmetric+weir'],
  );
  assert.ok(Math.abs(standing.overShipped.mean - 0.11) < 1e-9);
});

test('a row that misses the bar is bold, and the bar is counted', () => {
  const report = reportOf(standingsOf(cells), 'a command', new Map([['equal, chats', 'a.svg']]));
  assert.match(report, /within 5 % of the best as shipped \| 1 of 1 \| 0 of 1/);
  assert.match(report, /at least 1.15 times the best as shipped \| 1 of 1 \| 0 of 1/);
  assert.match(report, /first token within 5 % of the least as shipped \| 0 of 1 \| 1 of 1/);
  assert.match(report, /\| \*\*−0\.100 ± 0\.000\*\* \|/);
  assert.match(report, /\*\*60\.0\*\* \/ 10\.0/);
  assert.match(report, /!\[goodput by load\]\(a\.svg\)/);
});

test('a plot has a line for each of four, within its frame', () => {
  const standings = standingsOf([...cells, ...cells.map(({ contender }) => cell(contender, [0.9, 0.9], 5, 0.5))]);
  const plot = plotOf('equal, chats', standings);
  assert.equal(plot.match(/<polyline/g)?.length, 4);
  assert.ok(!/NaN|Infinity/.test(plot));
});

test('a plan is played with the same arrivals for all; a trace that is not there is left out', async () => {
  const [scenario] = quick.scenarios;
  assert.ok(scenario);
  const plan = {
    scenarios: [
      { ...scenario, minutes: 0.05 },
      { ...scenario, traffic: { trace: 'none.csv' } },
    ],
    loads: [0.5],
    seeds: [1, 2],
    contenders: contenders.filter(({ id }) => id === OURS || id === 'round-robin'),
  };
  const played: Cell[] = [];
  await play(plan, null, (each) => played.push(each));
  assert.deepEqual(
    played.map(({ contender, figures }) => [contender, figures.goodput.length]),
    [
      [OURS, 2],
      ['round-robin', 2],
    ],
  );
  assert.equal(played[0]?.offered, played[1]?.offered);
});
