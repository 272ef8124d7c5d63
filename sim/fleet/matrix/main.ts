import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { meanOf, type Cell } from './cell.ts';
import { play } from './play.ts';
import { plotOf } from './plot.ts';
import { reportOf } from './report.ts';
import { contenders, loads, quick, scenarios, seeds, type Plan } from './scenarios.ts';
import { standingsOf } from './standing.ts';

// The default against every rival: all of it for the documentation, a small part for checks.

const usage = `Plays Weir's default policy and every rival through the scenarios of sim/fleet/matrix/scenarios.ts, in about a quarter of an hour.

  npm run placement -- --traces DIR [--out DIR]
  npm run placement -- --quick

  --traces DIR   where mooncake-conversation.jsonl and azure-2023-conversation.csv are; without it only made-up traffic is played
  --out DIR      where results.json, results.md and the plots go (default docs/placement)
  --quick        three fleets, two loads and two seeds of made-up traffic, nothing written; exit code 1 where
                 the default's mean goodput is more than 5 % below the best rival's
  --help         this text
`;
const QUICK_SHARE = 0.95;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      traces: { type: 'string' },
      out: { type: 'string', default: 'docs/placement' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  if (values.help) return tell(usage);
  const plan: Plan = values.quick ? quick : { scenarios, loads, seeds, contenders };
  const cells: Cell[] = [];
  await play(plan, values.traces ?? null, (cell) => {
    cells.push(cell);
    tell(lineOf(cell));
  });
  if (values.quick) return judge(cells);
  write(values.out, cells);
  return 0;
}

function write(out: string, cells: readonly Cell[]): void {
  const standings = standingsOf(cells);
  mkdirSync(out, { recursive: true });
  const plots = new Map<string, string>();
  for (const [scenario, of] of Map.groupBy(standings, (each) => each.scenario)) {
    const file = `${scenario.replaceAll(', ', '-')}.svg`;
    writeFileSync(join(out, file), plotOf(scenario, of));
    plots.set(scenario, file);
  }
  writeFileSync(join(out, 'results.json'), `[\n${cells.map((cell) => JSON.stringify(cell)).join(',\n')}\n]\n`);
  writeFileSync(join(out, 'results.md'), reportOf(standings, 'npm run placement', plots));
}

/** Fails where some rival is clearly better in the mean of all that was played. */
function judge(cells: readonly Cell[]): number {
  const standings = standingsOf(cells);
  const ours = meanOf(standings.map(({ ours: { figures } }) => meanOf(figures.goodput)));
  const best = meanOf(standings.map(({ bestShipped: { figures } }) => meanOf(figures.goodput)));
  tell(`mean goodput ${ours.toFixed(3)}; of the best rival as shipped, at each load another, ${best.toFixed(3)}\n`);
  return ours >= QUICK_SHARE * best ? 0 : 1;
}

function lineOf({ scenario, load, contender, offered, figures }: Cell): string {
  const [goodput, p99] = [meanOf(figures.goodput).toFixed(3), meanOf(figures.ttftP99S).toFixed(1)];
  return `${scenario.padEnd(18)}${String(load).padStart(4)}  ${contender.padEnd(24)}${goodput}${p99.padStart(8)} s${String(offered).padStart(7)}\n`;
}

function tell(words: string): number {
  process.stdout.write(words);
  return 0;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`placement: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
