import { fleetPath, readFleet } from './fleet-file.ts';
import type { FleetModel } from './fleet-model.ts';
import { parseOptions, usage, type Options } from './options.ts';
import { policyNames, simulate, type RunResult } from './simulate.ts';
import type { Workload } from './workload/offer.ts';
import { filled } from './workload/fill.ts';
import { synthesize } from './workload/synthetic.ts';
import { readTrace, sliceOf, type Row } from './workload/trace.ts';

// The fleet simulator as a command: every policy on every load and seed, one line each.

const MOST_REQUESTS = 20_000;

async function run(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === 'help') return write(usage);
  if (options === 'list')
    return write(
      policyNames()
        .map(({ name, source }) => `${name.padEnd(26)}${source}\n`)
        .join(''),
    );
  const fleet = await readFleet(fleetPath(options.fleet));
  if (!options.isJson) write(headline());
  const rows = options.trace === null ? null : await readTrace(options.trace);
  for (const seed of options.seeds) {
    for (const load of options.loads) {
      const workload = workloadOf(options, rows, fleet, load, seed);
      for (const policy of options.policies) {
        const result = simulate({ ...options.settings, fleet, workload, policy, load, seed });
        write(options.isJson ? `${JSON.stringify(result)}\n` : lineOf(result));
      }
    }
  }
}

function workloadOf(
  options: Options,
  rows: readonly Row[] | null,
  fleet: FleetModel,
  load: number,
  seed: number,
): Workload {
  const { trace, workload, callers, hogTimes, minutes } = options;
  const make = (requests: number): Workload =>
    workload === null
      ? sliceOf(trace ?? '', rows ?? [], { requests, callers, seed })
      : synthesize(workload, requests, seed, hogTimes);
  if (options.requests !== null) return make(options.requests);
  // Half of a trace at most, so that seeds give other stretches.
  const most = rows === null ? MOST_REQUESTS : Math.min(MOST_REQUESTS, Math.ceil(rows.length / 2));
  return filled(make, fleet, { load, minutes, most });
}

function headline(): string {
  return row([
    'policy',
    'load',
    'seed',
    'goodput',
    'refused',
    'ttft p50',
    'ttft p99',
    'ms/token',
    'hits',
    'imbal.',
    'jain',
  ]);
}

function lineOf(result: RunResult): string {
  const { requests, ttftMs, timePerTokenMs } = result;
  return row([
    result.policy,
    String(result.load),
    String(result.seed),
    result.goodput.toFixed(3),
    (requests.refused / requests.offered).toFixed(3),
    `${(ttftMs.p50 / 1000).toFixed(2)} s`,
    `${(ttftMs.p99 / 1000).toFixed(1)} s`,
    timePerTokenMs.mean.toFixed(1),
    result.hitRate.toFixed(3),
    result.imbalance.toFixed(2),
    result.jain?.toFixed(3) ?? '-',
  ]);
}

function row([name = '', ...cells]: readonly string[]): string {
  return `${name.padEnd(24)}${cells.map((cell) => cell.padStart(10)).join('')}\n`;
}

function write(text: string): void {
  process.stdout.write(text);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`sim: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
