import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import type { Prefix, Wanted } from './candidate.ts';
import { NodeOutlook } from './node-outlook.ts';
import { PrefixIndex } from './prefix-index.ts';
import type { Sent, Speed } from './speed.ts';

// What policies may know of the fleet beside the counts, kept up by what happens to leases: taken, first token, end. Only what
// every engine shows over HTTP is needed; what an engine tells beyond that makes it better, and what it told too long ago is
// as if it had not. Times are passed in; there is no clock, timer or chance here.

/** Shorter answers tell little of how fast tokens come. */
const LEAST_GENERATED = 8;
/** Engines that keep one prefix per slot rather than blocks. */
const slotCaches: ReadonlySet<string> = new Set(['llamacpp', 'ollama', 'lmstudio']);
const NEWEST = 0.05;
/** Nobody says how long an answer will be. */
const GUESSED_ANSWER = 250;

/** What is noted of a lease when it is taken. */
export interface Flight extends Sent {
  readonly speed: Speed;
  readonly node: NodeOutlook;
  /** Tokens of its prompt believed to be cached. */
  readonly believedTokens: number;
  readonly streams: boolean;
  readonly isCold: boolean;
  firstAt: number | null;
  /** The node's count of leases times ms at the first token. */
  runningMsAtFirst: number;
}

/** What an attempt took, as far as it is known. */
export interface Took {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
}

export class Outlook {
  /** By node index. */
  readonly #nodes: (NodeOutlook | undefined)[] = [];
  readonly #prefixes = new PrefixIndex();
  #meanAnswer = GUESSED_ANSWER;

  replaceSnapshot(snapshot: FleetSnapshot, now: number): void {
    for (let index = 0; index < Math.max(this.#nodes.length, snapshot.nodes.length); index += 1) {
      const node = snapshot.nodes[index];
      const kept = this.#nodes[index];
      if (!node || kept?.generation !== node.generation || kept.engine !== node.engine) {
        this.#prefixes.forget(index);
        this.#nodes[index] = node ? new NodeOutlook(node) : undefined;
      } else {
        kept.limit.told(node.slots, node.slotsGuessed !== true);
        if (node.state === 'offline') kept.isLost = true;
        else if (kept.isLost && node.state === 'ready') {
          // Whatever it had cached, a node that was away may have been started anew.
          this.#prefixes.forget(index);
          kept.isLost = false;
          kept.backSince = now;
        }
      }
    }
  }

  replaceTelemetry(telemetry: readonly NodeTelemetry[]): void {
    for (const told of telemetry) {
      const node = this.#nodes[told.index];
      // The same word again is compared with nothing.
      if (node?.generation !== told.generation || told.readAt === node.told?.readAt) continue;
      node.hears(told);
    }
  }

  node(index: number, generation: number): NodeOutlook | null {
    const node = this.#nodes[index];
    return node?.generation === generation ? node : null;
  }

  /** Its breaker has closed again. */
  isBack({ node, generation }: { readonly node: number; readonly generation: number }, now: number): void {
    const known = this.node(node, generation);
    if (known) known.backSince = now;
  }

  /** Tokens of an answer in the mean, or fewer where the client allows fewer. */
  answerTokens({ claim: { maxTokens } }: Wanted): number {
    return maxTokens !== null && maxTokens < this.#meanAnswer ? maxTokens : this.#meanAnswer;
  }

  /** Tokens of the prompt that the node would have to read. */
  uncachedTokens(node: NodeOutlook, { claim: { prefix, promptTokens } }: Wanted): number {
    return Math.max(1, promptTokens - node.belief * this.#prefixes.tokensOn(node.index, prefix));
  }

  /** Nodes that should have more of the prompt than others, and perhaps some that have less. */
  holdersOf(prefix: Prefix): readonly number[] {
    return this.#prefixes.holdersOf(prefix);
  }

  /** A lease was taken. */
  took(node: NodeOutlook, wanted: Wanted & { claim: { streams: boolean } }, now: number): Flight {
    const { model, claim } = wanted;
    const speed = node.speedOf(model);
    const believedTokens = Math.min(claim.promptTokens, this.#prefixes.tokensOn(node.index, claim.prefix));
    const tokens = this.uncachedTokens(node, wanted);
    const { promptMs } = speed;
    const aheadMs = node.backlogMs(now);
    const isCold = node.isCold(model, now);
    const { streams } = claim;
    node.paces(tokens * promptMs, speed.stepMs(node.generating), now);
    node.count(1, now);
    if (streams) {
      node.pending += 1;
      node.pendingMs += tokens * promptMs;
    } else node.unseenUntil = Math.max(now, node.unseenUntil) + tokens * promptMs;
    node.uses(model, now);
    node.meanPrompt += NEWEST * (claim.promptTokens - node.meanPrompt);
    const most = slotCaches.has(node.engine) ? node.limit.slots * node.meanPrompt : undefined;
    this.#prefixes.insert(node.index, claim.prefix, most);
    return {
      node,
      speed,
      tokens,
      promptMs,
      aheadMs,
      isCold,
      believedTokens,
      streams,
      firstAt: null,
      runningMsAtFirst: 0,
    };
  }

  /** The first token of a streamed answer, `tookMs` after its lease was taken. */
  firstToken(flight: Flight, tookMs: number, now: number): void {
    if (flight.firstAt !== null) return;
    flight.firstAt = now;
    flight.runningMsAtFirst = flight.node.runningMs(now);
    this.#read(flight);
    const { node, speed } = flight;
    if (flight.isCold) return speed.switched(tookMs, flight);
    const isLate = speed.isLate(tookMs, speed.baseMs + flight.aheadMs + flight.tokens * flight.promptMs);
    if (isLate) node.limit.late(node.running, node.bears(now));
    else node.limit.inTime(node.running);
    speed.firstToken(tookMs, flight, now);
  }

  /** A lease ended; `isServed` where its answer was whole. */
  ended(flight: Flight, tookMs: number, isServed: boolean, took: Took | null, now: number): void {
    const { node, speed, firstAt } = flight;
    if (firstAt === null) this.#read(flight);
    node.count(-1, now);
    if (!isServed) return;
    node.heard += 1;
    const answer = took?.completionTokens ?? null;
    if (answer !== null) this.#meanAnswer += NEWEST * (answer - this.#meanAnswer);
    if (took && took.cachedTokens !== null) node.cacheTold(flight.believedTokens, took.cachedTokens);
    if (answer === null || answer < LEAST_GENERATED) {
      // Nothing but the prompt took its time.
      if (firstAt === null && !flight.isCold) speed.firstToken(tookMs, flight, now);
      return;
    }
    if (firstAt !== null) {
      const ms = now - firstAt;
      const batch = ms > 0 ? (node.runningMs(now) - flight.runningMsAtFirst) / ms : node.running + 1;
      speed.generated(ms / (answer - 1), batch, now);
    } else if (!flight.isCold) {
      const promptMs = flight.aheadMs + flight.tokens * flight.promptMs + speed.baseMs;
      speed.generated(Math.max(0, tookMs - promptMs) / answer, node.running + 1, now);
    }
  }

  /** Its prompt is no longer ahead of others. */
  #read({ node, streams, tokens, promptMs }: Flight): void {
    if (!streams) return;
    node.pending -= 1;
    // Sums of differences drift: nothing pending is nothing.
    node.pendingMs = node.pending === 0 ? 0 : Math.max(0, node.pendingMs - tokens * promptMs);
  }
}
