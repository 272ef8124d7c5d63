import { meanOf, type Cell, type FigureName, type Interval } from './cell.ts';
import type { Standing } from './standing.ts';

// The results as a page of tables. It counts how often the bar was met, and marks every row where it was not.

/** Within so much of the best one's goodput and p99. */
const NEAR = 0.05;
const OVERLOAD = 1.3;
const OVERLOAD_TIMES = 1.15;
/** A tie behind our room. */
const TIE = 0.01;

const figureColumns: readonly (readonly [head: string, name: FigureName, digits: number])[] = [
  ['goodput', 'goodput', 3],
  ['first token p50, s', 'ttftP50S', 2],
  ['p99, s', 'ttftP99S', 1],
  ['ms a token', 'msPerToken', 1],
  ['refused', 'refused', 3],
  ['Jain', 'jain', 2],
  ['worst caller', 'worstCaller', 2],
  ['hits', 'hitRate', 2],
  ['imbalance', 'imbalance', 2],
];

export function reportOf(standings: readonly Standing[], how: string, plots: ReadonlyMap<string, string>): string {
  const parts = [
    '# Placement, measured',
    `Made by \`${how}\`; [docs/placement.md](../placement.md) says what is compared and what follows from it. Numbers are means over the seeds, after ± the half of the 95 % interval of the paired differences.`,
    tally(standings),
    '## Beside the best of the others',
    'Differences of goodput. Bold is a difference that is worse than the bar allows.',
    table(
      [
        'scenario',
        'load',
        'told',
        'untold',
        'best as shipped',
        'told less it',
        'untold less it',
        'best behind our room',
        'told less it',
        'p99 told / untold, s',
        'least p99 as shipped, s',
      ],
      standings.map(rowOf),
    ),
  ];
  for (const [scenario, of] of Map.groupBy(standings, (each) => each.scenario)) {
    parts.push(`## ${scenario}`);
    const plot = plots.get(scenario);
    if (plot) parts.push(`![goodput by load](${plot})`);
    const rows = of.flatMap(({ load, ours, untold, bestShipped, bestBehind }) =>
      [ours, untold, bestShipped, bestBehind].map((cell) => cellsOf(String(load), cell)),
    );
    parts.push(table(['load', 'who', ...figureColumns.map(([head]) => head)], rows));
  }
  return `${parts.join('\n\n')}\n`;
}

function tally(standings: readonly Standing[]): string {
  const beyond = standings.filter(({ load }) => load === OVERLOAD);
  return table(
    ['bar', 'objective told', 'untold'],
    [
      [
        'goodput within 5 % of the best as shipped',
        count(standings, (each) => isNear(each.ours, each)),
        count(standings, (each) => isNear(each.untold, each)),
      ],
      [
        'p99 of the first token within 5 % of the least as shipped',
        count(standings, (each) => isSoon(each.ours, each)),
        count(standings, (each) => isSoon(each.untold, each)),
      ],
      [
        `goodput at ${OVERLOAD} at least ${OVERLOAD_TIMES} times the best as shipped`,
        count(beyond, ({ ours, bestShipped }) => goodput(ours) >= OVERLOAD_TIMES * goodput(bestShipped)),
        count(beyond, ({ untold, bestShipped }) => goodput(untold) >= OVERLOAD_TIMES * goodput(bestShipped)),
      ],
      [
        'at least equal to every score behind our room (told too), ties within 1 %',
        count(standings, (each) => !isBeaten(each)),
        '',
      ],
      [
        'the same, or less by no more than the interval',
        count(standings, (each) => !isBeaten(each) || each.overBehind.mean + each.overBehind.within >= 0),
        '',
      ],
    ],
  );
}

function rowOf(standing: Standing): string[] {
  const { scenario, load, ours, untold, bestShipped, bestBehind, soonestShipped } = standing;
  const p99 = (cell: Cell): string => mark(!isSoon(cell, standing), meanOf(cell.figures.ttftP99S).toFixed(1));
  return [
    scenario,
    String(load),
    goodput(ours).toFixed(3),
    goodput(untold).toFixed(3),
    `${goodput(bestShipped).toFixed(3)} \`${bestShipped.contender}\``,
    mark(!isNear(ours, standing), signed(standing.overShipped)),
    mark(!isNear(untold, standing), signed(standing.untoldOverShipped)),
    `${goodput(bestBehind).toFixed(3)} \`${bestBehind.contender}\``,
    mark(isBeaten(standing), signed(standing.overBehind)),
    `${p99(ours)} / ${p99(untold)}`,
    `${meanOf(soonestShipped.figures.ttftP99S).toFixed(1)} \`${soonestShipped.contender}\``,
  ];
}

function cellsOf(load: string, { contender, figures }: Cell): string[] {
  return [load, contender, ...figureColumns.map(([, name, digits]) => meanOf(figures[name]).toFixed(digits))];
}

function isNear(cell: Cell, { bestShipped }: Standing): boolean {
  return goodput(cell) >= (1 - NEAR) * goodput(bestShipped);
}

function isSoon({ figures }: Cell, { soonestShipped }: Standing): boolean {
  return meanOf(figures.ttftP99S) <= (1 + NEAR) * meanOf(soonestShipped.figures.ttftP99S);
}

/** Is the best score behind our room more than a tie better? */
function isBeaten({ ours, bestBehind }: Standing): boolean {
  return goodput(ours) < (1 - TIE) * goodput(bestBehind);
}

function goodput({ figures }: Cell): number {
  return meanOf(figures.goodput);
}

function signed({ mean, within }: Interval): string {
  const half = Number.isFinite(within) ? ` ± ${within.toFixed(3)}` : '';
  return `${mean < 0 ? '−' : '+'}${Math.abs(mean).toFixed(3)}${half}`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function mark(isWorse: boolean, words: string): string {
  return isWorse ? `**${words}**` : words;
}

function count(of: readonly Standing[], holds: (each: Standing) => boolean): string {
  return `${of.filter(holds).length} of ${of.length}`;
}
