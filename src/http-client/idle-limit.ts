// How long an idle socket of one node may be trusted: the configured idle time-out, or less where the node was seen
// closing idle sockets sooner. One close proves nothing, since a restarting node closes sockets of any age; two closes at
// about the same age do. The margin covers a request on its way while the close is on its way back. What was learned
// is forgotten after a while, so that a node whose setting was raised gets its pool back.

const MARGIN_SHARE = 0.2;
const MARGIN_LEAST_MS = 250;
const SIMILAR_SHARE = 0.2;
const SIMILAR_LEAST_MS = 20;
const FORGET_AFTER_MS = 10 * 60_000;

export class IdleLimit {
  readonly #configuredMs: number;
  #lastCloseMs: number | null = null;
  #learnedMs = Infinity;
  #learnedAt = -Infinity;

  constructor(configuredMs: number) {
    this.#configuredMs = configuredMs;
  }

  /** A socket idle for this many ms or longer is not used again. */
  limitMs(now: number): number {
    if (now - this.#learnedAt > FORGET_AFTER_MS) this.#learnedMs = Infinity;
    return Math.min(this.#configuredMs, this.#learnedMs);
  }

  /** The node closed a socket that had been idle for `idleMs`. */
  learn(idleMs: number, now: number): void {
    const before = this.#lastCloseMs;
    this.#lastCloseMs = idleMs;
    if (before === null || Math.abs(before - idleMs) > Math.max(SIMILAR_LEAST_MS, idleMs * SIMILAR_SHARE)) return;
    const closesAtMs = Math.min(before, idleMs);
    const safeMs = Math.max(0, closesAtMs - Math.max(MARGIN_LEAST_MS, closesAtMs * MARGIN_SHARE));
    if (safeMs >= this.limitMs(now)) return;
    this.#learnedMs = safeMs;
    this.#learnedAt = now;
  }
}
