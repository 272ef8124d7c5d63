// 500 clients at once against a fleet with far fewer slots, ten times over. Every one is answered; what was sent adds up; while anyone waits
// the slots are busy; what the slots allow is served; afterwards every gauge is 0 and memory is where it was.
import { systemClock } from '../src/lib/clock.ts';
import { type Answered, ask, clientConnections } from './support/clients.ts';
import { type MeasuredRouter, startMeasuredRouter, startStubNode } from './support/processes.ts';
import { judge, median, say, writeResult } from './support/report.ts';

const CLIENTS = 500;
const RUNS = 10;
const NODES = 4;
const SLOTS = 8;
const SERVICE_MS = 200;
const WAIT_MS = 2000;
/** 400 newcomers are admitted at most: some are refused, some wait in vain, the rest is served. */
const MAX_WAITERS = 500;

interface Run {
  readonly served: number;
  readonly refused: number;
  readonly timedOut: number;
  readonly other: number;
  readonly withRetryAfter: boolean;
  /** Share of the slots taken, averaged over the samples at which anyone waited. */
  readonly busyShare: number;
  /** Of what the slots could have served while anyone waited. */
  readonly servedShare: number;
  readonly heapMb: number;
  readonly anonymousMb: number;
  readonly gaugesLeft: readonly string[];
}

async function gaugesOf(router: MeasuredRouter): Promise<Map<string, number>> {
  const text = await (await router.admin('/metrics')).text();
  const gauges = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(weir_[a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [];
    if (name !== undefined) gauges.set(name, Number(value));
  }
  return gauges;
}

const taken = (gauges: Map<string, number>): number => {
  let sum = 0;
  for (const [name, value] of gauges) if (name.startsWith('weir_slots_taken')) sum += value;
  return sum;
};

async function run(router: MeasuredRouter): Promise<Run> {
  const agent = clientConnections(CLIENTS);
  const samples: number[] = [];
  const startedAt = systemClock.now();
  let lastServedAt = startedAt;
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const gauges = await gaugesOf(router);
      if ((gauges.get('weir_waiters') ?? 0) > 0) samples.push(taken(gauges) / (NODES * SLOTS));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const one = async (): Promise<Answered> => {
    const answer = await ask(agent, router.url);
    if (answer.status === 200) lastServedAt = systemClock.now();
    return answer;
  };
  const answers = await Promise.all(Array.from({ length: CLIENTS }, one));
  over.abort();
  await watching;
  await agent.close();
  const count = (matches: (answer: Answered) => boolean): number => answers.filter(matches).length;
  const served = count(({ status }) => status === 200);
  const refused = count(({ status, code }) => status === 503 && code === 'capacity_exceeded');
  const timedOut = count(({ status, code }) => status === 504 && code === 'wait_timeout');
  const possible = NODES * SLOTS * Math.floor((lastServedAt - startedAt) / SERVICE_MS);
  const left = await gaugesOf(router);
  const mustBeZero = ['weir_waiters', 'weir_open_leases', 'weir_open_requests', 'weir_waiting_bytes'];
  return {
    served,
    refused,
    timedOut,
    other: CLIENTS - served - refused - timedOut,
    withRetryAfter: answers.every(({ status, retryAfter }) => status === 200 || retryAfter !== null),
    busyShare: samples.reduce((sum, share) => sum + share, 0) / samples.length,
    servedShare: served / possible,
    heapMb: await router.collectedHeapMb(),
    anonymousMb: router.anonymousMb(),
    gaugesLeft: [...mustBeZero.filter((name) => left.get(name) !== 0), ...(taken(left) === 0 ? [] : ['slots taken'])],
  };
}

const nodes = await Promise.all(Array.from({ length: NODES }, () => startStubNode(SERVICE_MS)));
const runs: Run[] = [];
const router = await startMeasuredRouter(
  ['--queue-max-waiters', String(MAX_WAITERS), '--queue-timeout', `${WAIT_MS}ms`],
  nodes.map(({ url }) => ({ url, maxConcurrent: SLOTS })),
);
let heapAtStart = NaN;
try {
  heapAtStart = await router.collectedHeapMb();
  for (let n = 0; n < RUNS; n++) {
    const each = await run(router);
    runs.push(each);
    say(
      `run ${n + 1}: ${each.served} served, ${each.refused} refused, ${each.timedOut} timed out, ${each.other} other; ` +
        `slots busy ${(each.busyShare * 100).toFixed(1)} %, served ${(each.servedShare * 100).toFixed(0)} % of what they allow; ` +
        `heap ${each.heapMb.toFixed(1)} MB, RssAnon ${each.anonymousMb.toFixed(0)} MB`,
    );
  }
} finally {
  for (const each of [router, ...nodes]) await each[Symbol.asyncDispose]();
}
const third = runs[2]?.heapMb ?? NaN;
const last = median(runs.slice(-3).map(({ heapMb }) => heapMb));
writeResult('crowd', 'npm run check:crowd', {
  clients: CLIENTS,
  nodes: NODES,
  slots: SLOTS,
  serviceMs: SERVICE_MS,
  heapAtStart,
  runs,
});
const sum = (of: (each: Run) => number): number => runs.reduce((total, each) => total + of(each), 0);
const busy = median(runs.map(({ busyShare }) => busyShare));
const allowed = median(runs.map(({ servedShare }) => servedShare));
const goals = [
  {
    goal: 'every client is served, refused or timed out',
    holds: sum(({ other }) => other) === 0,
    seen: `${sum(({ other }) => other)} others`,
  },
  {
    goal: 'refusals and time-outs tell when to come back',
    holds: runs.every((each) => each.withRetryAfter),
    seen: 'Retry-After',
  },
  {
    goal: 'at least 95 % of the slots busy while anyone waits',
    holds: busy >= 0.95,
    seen: `${(busy * 100).toFixed(1)} %`,
  },
  { goal: 'at least 0.9 of what the slots allow is served', holds: allowed >= 0.9, seen: allowed.toFixed(2) },
  {
    goal: 'every gauge is 0 afterwards',
    holds: runs.every((each) => each.gaugesLeft.length === 0),
    seen: runs.flatMap((each) => each.gaugesLeft).join(', ') || 'all 0',
  },
  {
    goal: 'heap within 20 MB of the start',
    holds: last - heapAtStart <= 20,
    seen: `${heapAtStart.toFixed(1)} → ${last.toFixed(1)} MB`,
  },
  {
    goal: 'heap not rising over runs 3 to 10',
    holds: last - third <= 2,
    seen: `${third.toFixed(1)} → ${last.toFixed(1)} MB`,
  },
];
process.exitCode = judge(goals) ? 0 : 1;
