import type { EngineKind } from '../../fleet/glossary.ts';
import type { NodeSnapshot } from '../../fleet/snapshot.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import { Speed } from './speed.ts';
import { SlotLimit } from './slot-limit.ts';

// One node as a policy sees it: what the router has open there in ms of work, what was learned of it, and what its engine last said
// of itself. All is kept per registration: a node registered anew is a stranger.

/** Models of one node of which speeds are kept. */
const MOST_MODELS = 64;
/** An engine that loads models by itself lets one go that nobody asked for so long (Ollama's default). */
const UNLOAD_MS = 300_000;
/** What is said of caches at first: most prefixes that a node was sent it still has. */
const FIRST_BELIEF = 0.8;
const NEWEST = 0.1;
/** After three probes that did not tell it, what an engine told is too old. */
const STALE_MS = 15_000;
const SLOW_START_MS = 10_000;
/** A token that takes longer is slower than people read. */
const PACE_MS = 100;
/** How much of the time that prompts take nobody else gets a token, for engines in the mean: some mix them, for others it is all of it. */
const STALLED = 0.5;
/** However slow its tokens are, prompts get this share of a node's time. */
const LEAST_SHARE = 0.2;
/**
 * So much to read is enough to keep a node busy until it is handed more; what waits for longer had better wait here, where it can still go to
 * another node or make way for somebody more urgent.
 */
const MOST_BACKLOG_MS = 1_000;

/** Engines that load a model when it is asked for, and let others go for it. */
const loadsOnDemand: ReadonlySet<EngineKind> = new Set(['ollama', 'lmstudio']);

export class NodeOutlook {
  readonly index: number;
  readonly generation: number;
  readonly engine: EngineKind;
  readonly limit: SlotLimit;
  readonly #speeds = new Map<string, Speed>();
  /** Answers heard of it, of whatever model. */
  heard = 0;
  /** Leases open. */
  running = 0;
  /** Of these, prompts whose first token has not come, of answers that are streamed. */
  pending = 0;
  /** Their expected time, one after the other. */
  pendingMs = 0;
  /** Prompts of answers that are not streamed: nobody tells when they were read, so their time runs off by the clock. */
  unseenUntil = 0;
  /** When the prompts so far would be read if they left those that generate the pace that they should have. */
  pacedUntil = -Infinity;
  /** Share of the prefix that it was believed to have cached and had. */
  belief = FIRST_BELIEF;
  /** Tokens of a prompt in the mean. */
  meanPrompt = 1000;
  /** Monotonic ms since when it takes requests again; -Infinity where it was never lost. */
  backSince = -Infinity;
  /** It was found offline. */
  isLost = false;
  told: NodeTelemetry | null = null;
  /** Requests that its engine had beside ours when it last told. */
  #foreign = 0;
  #model: string | null = null;
  #usedAt = -Infinity;
  #runningMs = 0;
  #countedAt = 0;

  constructor({ index, generation, engine, slots, slotsGuessed }: NodeSnapshot) {
    this.index = index;
    this.generation = generation;
    this.engine = engine;
    this.limit = new SlotLimit(slots, slotsGuessed !== true);
  }

  speedOf(model: string): Speed {
    let speed = this.#speeds.get(model);
    if (!speed) {
      if (this.#speeds.size >= MOST_MODELS) this.#speeds.clear();
      speed = new Speed(this.engine, this.limit.slots);
      this.#speeds.set(model, speed);
    }
    return speed;
  }

  /** What its engine told of itself. */
  hears(told: NodeTelemetry): void {
    this.told = told;
    this.#foreign = told.running === null ? 0 : Math.max(0, told.running + (told.waiting ?? 0) - this.running);
  }

  /** Requests of others on its engine, as far as is known; an old word is none. */
  foreign(now: number): number {
    return this.told && now - this.told.readAt < STALE_MS ? this.#foreign : 0;
  }

  /** How many its engine computes while others wait in it, as far as that is known; null for no word of it. */
  bears(now: number): number | null {
    const { told } = this;
    return told && (told.waiting ?? 0) > 1 && now - told.readAt < STALE_MS ? told.running : null;
  }

  /** How much dearer it is than it seems: a node that was away finds its caches empty and is let in by and by. */
  slowStart(now: number): number {
    const sinceMs = now - this.backSince;
    return sinceMs >= SLOW_START_MS ? 1 : SLOW_START_MS / Math.max(SLOW_START_MS / 4, sinceMs);
  }

  /** Ms until the prompts that are there now should have been read. */
  backlogMs(now: number): number {
    return this.pendingMs + Math.max(0, this.unseenUntil - now);
  }

  /** A prompt of so many ms comes. */
  paces(promptMs: number, stepMs: number, now: number): void {
    const share = this.generating > 0 ? Math.max(LEAST_SHARE, 1 - (STALLED * stepMs) / PACE_MS) : 1;
    this.pacedUntil = Math.max(now, this.pacedUntil) + promptMs / share;
  }

  /** When it may be given another prompt, monotonic ms; a time that is past for now. */
  opensAt(): number {
    return this.pendingMs > MOST_BACKLOG_MS ? Infinity : this.pacedUntil - MOST_BACKLOG_MS;
  }

  /** Requests whose tokens are being generated. */
  get generating(): number {
    return this.running - this.pending;
  }

  /** True where the model must be loaded first, as far as can be seen from here. */
  isCold(model: string, now: number): boolean {
    return loadsOnDemand.has(this.engine) && (this.#model !== model || now - this.#usedAt > UNLOAD_MS);
  }

  uses(model: string, now: number): void {
    this.#model = model;
    this.#usedAt = now;
  }

  /** A lease was taken or ended. */
  count(by: 1 | -1, now: number): void {
    this.runningMs(now);
    this.running += by;
  }

  /** Leases times ms since the beginning: two readings tell how many there were in between. */
  runningMs(now: number): number {
    this.#runningMs += this.running * (now - this.#countedAt);
    this.#countedAt = now;
    return this.#runningMs;
  }

  /** Its engine told how much of a prompt it had cached. */
  cacheTold(believedTokens: number, cachedTokens: number): void {
    if (believedTokens > 0) this.belief += NEWEST * (Math.min(1, cachedTokens / believedTokens) - this.belief);
  }
}
