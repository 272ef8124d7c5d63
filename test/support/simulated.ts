import { fileURLToPath } from 'node:url';
import { readFleet } from '../../sim/fleet/fleet-file.ts';
import { simulate, type RunResult } from '../../sim/fleet/simulate.ts';
import { capacityOf } from '../../sim/fleet/workload/schedule.ts';
import { synthesize, type SyntheticName } from '../../sim/fleet/workload/synthetic.ts';

export interface Played {
  /** One of those that come with the simulator. */
  readonly fleet: string;
  readonly workload: SyntheticName;
  readonly load: number;
  readonly minutes: number;
  readonly maxWaiters?: number;
  readonly seed?: number;
  readonly hogTimes?: number;
}

/** Plays made-up traffic on a fleet under the waiting room and the least loaded node, as the simulator's command line does. */
export async function played({
  fleet: name,
  workload,
  load,
  minutes,
  maxWaiters = 1024,
  seed = 1,
  hogTimes,
}: Played): Promise<RunResult> {
  const fleet = await readFleet(fileURLToPath(new URL(`../../sim/fleet/fleets/${name}.yaml`, import.meta.url)));
  const perSecond = load * capacityOf(fleet, synthesize(workload, 2000, seed, hogTimes).offers);
  return simulate({
    fleet,
    workload: synthesize(workload, Math.ceil(perSecond * minutes * 60), seed, hogTimes),
    policy: 'weir:least-loaded',
    load,
    seed,
    deadlineMs: 60_000,
    patienceMs: 600_000,
    comebacks: 0,
    warmUp: 0.15,
    objective: { ttftMs: 2000, ttftMsPerPromptToken: 0.25, tpotMs: 100 },
    weir: {
      queue: { maxWaiters, timeoutMs: 30_000, maxBytes: 1e9, maxShare: 0.75, reserved: 0 },
      told: null,
      cacheTtlMs: 10,
      firstByteMs: 300_000,
      betweenBytesMs: 120_000,
    },
  });
}
