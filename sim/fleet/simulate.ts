import { policies, type PolicyName } from '../../src/fleet/glossary.ts';
import { figuresOf, imbalanceOf, type Figures, type Objective } from './figures/figures.ts';
import type { FleetModel } from './fleet-model.ts';
import { rivalNamed, rivals } from './policies/catalogue.ts';
import type { Rival } from './policies/rival.ts';
import { stream } from './random.ts';
import { ShippedRouter } from './routers/shipped.ts';
import { WeirRouter, type WeirSettings } from './routers/weir.ts';
import type { Floor, Router } from './seen.ts';
import type { Workload } from './workload/offer.ts';
import { scheduleOf } from './workload/schedule.ts';
import { World } from './world.ts';

/** The policy that the configuration has by default. */
const DEFAULT_POLICY: PolicyName = 'adaptive';
/** Under a rival's score behind our room: one that adds nothing of its own. */
const PLAIN_POLICY: PolicyName = 'least-loaded';
const BEHIND_ROOM = '+weir';

export interface Run {
  readonly fleet: FleetModel;
  readonly workload: Workload;
  readonly policy: string;
  readonly load: number;
  readonly seed: number;
  readonly deadlineMs: number;
  readonly patienceMs: number;
  readonly comebacks: number;
  readonly warmUp: number;
  readonly objective: Objective;
  readonly weir: Omit<WeirSettings, 'policy'>;
}

export interface RunResult extends Figures {
  readonly policy: string;
  readonly source: string;
  readonly fleet: string;
  readonly workload: string;
  readonly load: number;
  readonly seed: number;
  readonly capacityPerSecond: number;
  readonly offeredPerSecond: number;
  readonly durationS: number;
  /** Jain's index over backlogged callers, and over how many windows of 10 s with two of them or more. */
  readonly jain: number | null;
  readonly jainWindows: number;
  /** Largest over mean of the work done, each node's in units of its own capacity. */
  readonly imbalance: number;
  readonly preemptions: number;
  readonly modelLoads: number;
  readonly router: Readonly<Record<string, number>>;
  readonly nodes: readonly {
    readonly name: string;
    readonly work: number;
    readonly preemptions: number;
    readonly loads: number;
  }[];
}

interface Contender {
  readonly source: string;
  readonly make: (floor: Floor) => Router;
}

/** Every name that `policy` may have, and what each follows. */
export function policyNames(): { name: string; source: string }[] {
  return [
    ...policies.map((name) => ({ name: `weir:${name}`, source: 'this checkout' })),
    ...rivals.map(({ name, source }) => ({ name, source })),
    ...rivals.map(({ name, source }) => ({ name: `${name}${BEHIND_ROOM}`, source })),
  ];
}

/** Runs one policy on one workload and fleet. Throws an Error for an unknown policy, and where requests are lost. */
export function simulate(run: Run): RunResult {
  const { fleet, workload, load, seed } = run;
  const { source, make } = contenderOf(run);
  const schedule = scheduleOf(fleet, workload, load, seed, run.deadlineMs);
  const world = new World({
    fleet,
    schedule,
    seed,
    patienceMs: run.patienceMs,
    callers: workload.callers,
    comebacks: run.comebacks,
  });
  const router = world.run(make);
  const { jain, windows } = world.fairness.result();
  const nodes = world.books().map(({ name, workMs, preemptions, loads }) => ({
    name,
    work: workMs / schedule.durationMs,
    preemptions,
    loads,
  }));
  return {
    policy: run.policy,
    source,
    fleet: fleet.name,
    workload: workload.name,
    load,
    seed,
    capacityPerSecond: schedule.capacityPerSecond,
    offeredPerSecond: schedule.offeredPerSecond,
    durationS: schedule.durationMs / 1000,
    ...figuresOf(world.records, run.objective, run.warmUp),
    jain,
    jainWindows: windows,
    imbalance: imbalanceOf(nodes.map(({ work }) => work)),
    preemptions: nodes.reduce((sum, node) => sum + node.preemptions, 0),
    modelLoads: nodes.reduce((sum, node) => sum + node.loads, 0),
    router: router.report(),
    nodes,
  };
}

function contenderOf({ policy, seed, weir }: Run): Contender {
  const ours = policies.find((name) => policy === `weir:${name}`) ?? (policy === 'weir' ? DEFAULT_POLICY : undefined);
  if (ours) {
    return { source: 'this checkout', make: (floor) => new WeirRouter(floor, { ...weir, policy: ours }, null, null) };
  }
  const isBehindRoom = policy.endsWith(BEHIND_ROOM);
  const entry = rivalNamed(isBehindRoom ? policy.slice(0, -BEHIND_ROOM.length) : policy);
  if (!entry) {
    const known = policyNames().map(({ name }) => name);
    throw new Error(`--policy ${policy}: choose one of ${known.join(', ')}`);
  }
  const rival = (): Rival => entry.make(stream(seed, `policy ${entry.name}`));
  if (!isBehindRoom) return { source: entry.source, make: (floor) => new ShippedRouter(floor, rival(), entry.product) };
  const settings = { ...weir, policy: PLAIN_POLICY };
  return { source: entry.source, make: (floor) => new WeirRouter(floor, settings, rival(), entry.product.pollMs) };
}
