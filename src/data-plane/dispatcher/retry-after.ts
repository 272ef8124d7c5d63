import { HoldTimes } from './hold-times.ts';
import type { NodeRef } from './ticket.ts';

// When to come back, from how fast slots come free: by Little's law the leases open on a node divided by the mean time that one is held
// there, summed over the nodes that those ahead wait for. Before a node's first lease has ended that mean is taken from the others,
// and before any has, guessed to be 5 s. A node that has let nothing go for three times as long as it should is believed to be as
// slow as its silence says, so that one which has stopped answering is noticed while nothing ends.
//
// What is told is when the next place should come free, not when the wait will be short: a client that comes back then is let in.
// Up to a fifth of jitter keeps a refused wave from coming back as one. Times of single answers are not foreseen: where one
// slot serves answers of very different lengths, what is told is right in the mean only: of gaps that are exponential nobody can tell more than 47 % within a factor of two.

export const GUESSED_MS = 5_000;
/** Weight of the newest lease in the mean. */
const NEWEST = 0.1;
const LEAST_MS = 1_000;
const SILENCES = 3;
/** Where more leases are open the law of large numbers says enough (`whenFreedAt`). */
export const MOST_SINGLE = 64;
const MOST_HAZARD = 5;
const JITTER = 0.2;
/** Places come free by chance: of gaps with a given mean most are shorter. */
const USUAL = 0.8;

interface NodeDrain {
  readonly generation: number;
  /** When the open ones were taken. */
  readonly open: number[];
  readonly held: HoldTimes;
  meanMs: number | null;
  /** When a slot was last given back, or first taken after all were free. */
  quietSince: number;
}

export class DrainRate {
  /** By node index. */
  readonly #nodes: (NodeDrain | undefined)[] = [];
  #meanMs: number | null = null;

  /** True once a lease has ended that served a request. */
  get hasServed(): boolean {
    return this.#meanMs !== null;
  }

  /** A lease was taken. */
  began({ node, generation }: NodeRef, now: number): void {
    let drain = this.#nodes[node];
    if (drain?.generation !== generation) {
      drain = { generation, open: [], held: new HoldTimes(), meanMs: null, quietSince: now };
      this.#nodes[node] = drain;
    }
    if (drain.open.length === 0) drain.quietSince = now;
    drain.open.push(now);
  }

  /** A lease taken at `takenAt` ended; `isTypical` where it served a request, so that its length tells of others. */
  ended({ node, generation }: NodeRef, takenAt: number, now: number, isTypical: boolean): void {
    const drain = this.#nodes[node];
    if (drain?.generation !== generation) return;
    // One that was laid out in advance counts from when it was used.
    const at = drain.open.indexOf(takenAt);
    drain.open.splice(Math.max(0, at), 1);
    drain.quietSince = now;
    if (!isTypical) return;
    drain.held.add(now - takenAt);
    drain.meanMs = moved(drain.meanMs, now - takenAt);
    this.#meanMs = moved(this.#meanMs, now - takenAt);
  }

  /** Slots of the node that come free per ms; 0 where none is taken. */
  perMs(node: number, now: number): number {
    const drain = this.#nodes[node];
    if (!drain || drain.open.length === 0) return 0;
    const expected = drain.open.length / this.#meanOf(drain);
    const silentMs = now - drain.quietSince;
    return silentMs * expected > SILENCES ? 1 / silentMs : expected;
  }

  /** How many leases of the node are open. */
  open(node: number): number {
    return this.#nodes[node]?.open.length ?? 0;
  }

  /** What is expected of a node within `ms`, by the age of each lease. */
  endings(node: number, ms: number, now: number): Endings {
    const drain = this.#nodes[node];
    const perMs = this.perMs(node, now);
    if (!drain || perMs === 0) return { count: 0, hazard: 0 };
    const meanMs = this.#meanOf(drain);
    const isSilent = perMs * meanMs < drain.open.length * 0.99;
    if (isSilent || drain.held.size === 0) return { count: ms * perMs, hazard: ms * perMs };
    let [count, hazard] = [0, 0];
    for (const takenAt of drain.open) {
      const ageMs = now - takenAt;
      const chance = drain.held.endsWithin(ageMs, ms);
      const againMs = ms - Math.max(0, meanMs - ageMs);
      count += chance * (1 + Math.max(0, againMs / meanMs - 0.5));
      hazard += Math.min(MOST_HAZARD, -Math.log(1 - chance));
    }
    return { count, hazard };
  }

  #meanOf({ meanMs }: NodeDrain): number {
    return Math.max(1, meanMs ?? this.#meanMs ?? GUESSED_MS);
  }
}

/** What is expected of a node within some time. */
export interface Endings {
  /** How many leases end, those that take the freed slots included. */
  readonly count: number;
  /** Of the first to end: minus the logarithm of the chance that none does. */
  readonly hazard: number;
}

function moved(meanMs: number | null, heldMs: number): number {
  return meanMs === null ? heldMs : meanMs + NEWEST * (heldMs - meanMs);
}

export interface Opening {
  /** How many must leave the room before the next is let in. */
  readonly ahead: number;
  /** How many leave it per ms for a slot. */
  readonly perMs: number;
  /** Ms until the first of them has waited as long as it may. */
  readonly firstTimeoutMs: number;
}

/** Ms to come back after, with jitter, 1 s at least; where nothing runs as if one came free every 5 s. */
export function comeBackMs({ ahead, perMs, firstTimeoutMs }: Opening, random: () => number): number {
  const gapMs = perMs > 0 ? 1 / perMs : GUESSED_MS;
  const further = Math.max(0, ahead - 1) * gapMs;
  return Math.max(LEAST_MS, further + Math.min(USUAL * gapMs, Math.max(0, firstTimeoutMs))) * (1 + JITTER * random());
}

const LONGEST_MS = 600_000;
/** Precise to half a percent. */
const ROUNDS = 12;

/** Ms until `count` leases have ended, by what is expected within any time. */
export function whenFreed(count: number, expectedWithin: (ms: number) => Endings): number {
  const isEnough = (ms: number): boolean => {
    const { count: ended, hazard } = expectedWithin(ms);
    return (count <= 1 ? hazard : ended) >= enough(count);
  };
  let [low, high] = [1, LONGEST_MS];
  for (let round = 0; round < ROUNDS; round += 1) {
    const middle = Math.sqrt(low * high);
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The same where so many end per ms. */
export function whenFreedAt(count: number, perMs: number): number {
  return Math.min(LONGEST_MS, Math.max(1, enough(count) / perMs));
}

/** Of the first: when it is likely enough that one has ended. Of several the mean is close to the middle. */
function enough(count: number): number {
  return count <= 1 ? USUAL : count - 0.3;
}
