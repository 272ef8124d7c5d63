import { basename, join } from 'node:path';
import { fleetPath, readFleet } from '../fleet-file.ts';
import { parseOptions, type Options } from '../options.ts';
import { simulate } from '../simulate.ts';
import { filled } from '../workload/fill.ts';
import type { Workload } from '../workload/offer.ts';
import { synthesize } from '../workload/synthetic.ts';
import { readTrace, sliceOf } from '../workload/trace.ts';
import { figuresOfRuns, type Cell } from './cell.ts';
import { MOST_REQUESTS, type Plan, type Scenario } from './scenarios.ts';

const CALLERS = 20;

/** Plays the plan's runs one after the other, in this process; `done` is told each cell as its last seed ends. */
export async function play(plan: Plan, traces: string | null, done: (cell: Cell) => void): Promise<void> {
  const settings = { told: settingsOf(true), untold: settingsOf(false) };
  for (const scenario of plan.scenarios) {
    const make = await maker(scenario, traces);
    if (!make) continue;
    const fleet = await readFleet(fleetPath(scenario.fleet));
    for (const load of plan.loads) {
      const size = { load, minutes: scenario.minutes, most: MOST_REQUESTS };
      const workloads = plan.seeds.map((seed) => ({
        seed,
        workload: filled((requests) => make(requests, seed), fleet, size),
      }));
      for (const { id, policy, told } of plan.contenders) {
        const runs = workloads.map(({ seed, workload }) =>
          simulate({ ...(told ? settings.told : settings.untold), fleet, workload, policy, load, seed }),
        );
        const offered = runs[0]?.requests.offered ?? 0;
        done({ scenario: nameOf(scenario), load, contender: id, offered, figures: figuresOfRuns(runs) });
      }
    }
  }
}

/** As it is called in figures and files. */
function nameOf({ fleet, traffic }: Scenario): string {
  const name = 'trace' in traffic ? (basename(traffic.trace).split('-')[0] ?? '') : traffic.workload;
  return `${fleet}, ${name}`;
}

type Make = (requests: number, seed: number) => Workload;

/** Null for a trace where there are none. */
async function maker({ traffic }: Scenario, traces: string | null): Promise<Make | null> {
  if ('workload' in traffic) return (requests, seed) => synthesize(traffic.workload, requests, seed);
  if (traces === null) return null;
  const path = join(traces, traffic.trace);
  const rows = await readTrace(path);
  // Half of it at most, so that seeds give other stretches.
  const most = Math.ceil(rows.length / 2);
  return (requests, seed) => sliceOf(path, rows, { requests: Math.min(most, requests), callers: CALLERS, seed });
}

/** Those that `npm run sim` has by default. */
function settingsOf(told: boolean): Options['settings'] {
  const options = parseOptions(['--fleet', 'mixed', '--workload', 'chats', ...(told ? ['--tell-slo'] : [])]);
  if (typeof options === 'string') throw new Error('the simulator asks for help');
  return options.settings;
}
