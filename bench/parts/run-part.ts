import type { Candidate, Running } from '../candidates/candidate.ts';
import { LOAD_CORE, ROUTER_CORE } from '../candidates/spawned.ts';
import { recordsProblem } from '../candidates/weir-records.ts';
import { sleep } from '../far-side/closed-loop.ts';
import { Stub } from '../far-side/stub.ts';
import { coreTimes, type Memory } from '../support/proc.ts';
import { say } from '../support/report.ts';
import type { Effort, Part, Round } from './part.ts';

// Runs one part: every candidate in a fresh process of its own, all of them up at once, then round by round each in turn, in an order that
// turns about, so that no candidate always comes first. The first turn of each warms it and is not counted.

const NODES = 4;
const unknown: Memory = { rssMb: Number.NaN, anonMb: Number.NaN };
const REST_MS = 150;
const REST_BEFORE_MS = 500;
/** A round in which others took more of a core than this is left out, if enough are left. */
export const DISTURBED = 0.15;

export interface Entry {
  readonly candidate: Candidate;
  readonly rounds: readonly Round[];
  readonly startMs: number;
  /** At rest before the first load. */
  readonly idle: Memory;
  /** Why it was not measured here, or null. */
  readonly failure: string | null;
}

export interface PartResult {
  readonly part: Part;
  readonly entries: readonly Entry[];
}

interface Runner {
  readonly candidate: Candidate;
  readonly running: Running;
  readonly rounds: Round[];
  readonly undo: () => void;
}

export async function runPart(part: Part, candidates: readonly Candidate[], effort: Effort): Promise<PartResult> {
  await using stub = await Stub.start(NODES);
  const runners: Runner[] = [];
  const failed: Entry[] = [];
  const idle = new Map<Candidate, Memory>();
  try {
    for (const candidate of candidates.filter(part.takes)) {
      stub.serving = { kind: 'answer', afterMs: 0 };
      try {
        runners.push(await begin(part, candidate, stub));
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        say(`  ${candidate.name}: ${failure}`);
        failed.push({ candidate, rounds: [], startMs: NaN, idle: unknown, failure });
      }
    }
    await sleep(part.restMs ?? REST_BEFORE_MS);
    for (const { candidate, running } of runners) idle.set(candidate, running.target.memory());
    const rounds = Math.min(effort.rounds, part.mostRounds ?? Infinity);
    for (let round = 0; round <= rounds; round++) {
      const order = round % 2 === 0 ? runners : runners.toReversed();
      for (const runner of order) {
        const isWarmUp = round === 0;
        const measured = await measure(part, runner, stub, isWarmUp ? { ...effort, scale: 1 } : effort);
        if (!isWarmUp) runner.rounds.push(measured);
        if (!isWarmUp) say(`  ${line(part, runner.candidate.name, round, measured)}`);
      }
    }
  } finally {
    for (const { running, undo } of runners) {
      undo();
      await running[Symbol.asyncDispose]();
    }
  }
  const entries = runners.map(({ candidate, running: { startMs }, rounds }) => {
    return { candidate, rounds, startMs, idle: idle.get(candidate) ?? unknown, failure: null };
  });
  return { part, entries: [...entries, ...failed] };
}

async function begin(part: Part, candidate: Candidate, stub: Stub): Promise<Runner> {
  const running = await candidate.start(stub.urls, part.scene);
  const undo = (await part.before?.(running, stub)) ?? ((): void => undefined);
  return { candidate, running, rounds: [], undo };
}

async function measure(part: Part, { running }: Runner, stub: Stub, effort: Effort): Promise<Round> {
  const { target, records } = running;
  const recordsBefore = await records?.now();
  await sleep(REST_MS);
  const coreBefore = coreTimes(ROUTER_CORE).busyMs;
  const loadCoreBefore = coreTimes(LOAD_CORE).busyMs;
  const ownBefore = process.cpuUsage();
  const cpuBefore = target.cpuMs();
  const threadsBefore = target.cpuMsByThread?.();
  const startedAt = performance.now();
  const seen = await part.load(running, stub, effort);
  let flaw = Object.keys(seen.wrong).length > 0 ? `wrong answers: ${JSON.stringify(seen.wrong)}` : null;
  const tookMs = performance.now() - startedAt;
  const foreignMs = coreTimes(ROUTER_CORE).busyMs - coreBefore - (target.cpuMs() - cpuBefore);
  const { user, system } = process.cpuUsage(ownBefore);
  const foreignLoadMs = coreTimes(LOAD_CORE).busyMs - loadCoreBefore - (user + system) / 1000;
  let cpuEndMs = seen.cpuEndMs;
  if (records && recordsBefore) {
    const late = await records.settled(recordsBefore, seen.sent);
    if (part.countsSettling) cpuEndMs = target.cpuMs();
    flaw ??= recordsProblem(recordsBefore, await records.now(), seen.sent) ?? late;
  } else if (part.countsSettling) {
    await sleep(REST_MS);
    cpuEndMs = target.cpuMs();
  }
  return {
    seen,
    perSecond: seen.good / seen.windowSeconds,
    cpuMicros: ((cpuEndMs - seen.cpuStartMs) * 1000) / seen.good,
    cpuMicrosByThread: byThread(
      threadsBefore,
      target.cpuMsByThread?.(),
      part.unit === 'event' ? Number.NaN : seen.sent,
    ),
    foreignShare: Math.max(0, foreignMs, foreignLoadMs) / tookMs,
    flaw,
  };
}

/** Shares of the threads in µs per unit, those under 1 µs left out. */
function byThread(
  before: ReadonlyMap<string, number> | undefined,
  after: ReadonlyMap<string, number> | undefined,
  units: number,
): Readonly<Record<string, number>> {
  const shares: Record<string, number> = {};
  for (const [name, ms] of after ?? []) {
    const each = ((ms - (before?.get(name) ?? 0)) * 1000) / units;
    if (each >= 1) shares[name] = Math.round(each * 10) / 10;
  }
  return shares;
}

function line(
  part: Part,
  name: string,
  round: number,
  { seen, cpuMicros, perSecond, foreignShare, flaw, cpuMicrosByThread }: Round,
): string {
  const own = `own p50 ${seen.ownMs.p50.toFixed(3)} p95 ${seen.ownMs.p95.toFixed(2)} p99 ${seen.ownMs.p99.toFixed(2)} ms`;
  const threads = Object.entries(cpuMicrosByThread);
  const parted = threads.length < 2 ? '' : ` (${threads.map(([thread, each]) => `${thread} ${each}`).join(', ')})`;
  const figures = `${cpuMicros.toFixed(1)} µs/${part.unit}${parted}, ${Math.round(perSecond)}/s, ${own}`;
  const others = foreignShare > 0.05 ? `, others took ${(foreignShare * 100).toFixed(0)} % of the core` : '';
  return `${round} ${name.padEnd(14)} ${figures}${others}${flaw === null ? '' : ` VOID: ${flaw}`}`;
}
