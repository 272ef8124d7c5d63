// How many requests a node is given at once. What the operator set or the engine told is respected; a guess is the start of a search.
// While all its slots are used and first tokens come in time it is given more: doubled with each round at first, later an eighth.
// When nearly a third of the last first tokens came late it is given a fifth less, or just as many as the engine says it runs; once
// per round, since what was sent before the cut says nothing of it. A round is as many first tokens as there are slots.
//
// One that is late is no sign: a crowd of prompts delays some on any engine, and what an engine has yet to read is bounded apart from this
// (node-outlook.ts). Where requests wait for others' answers to end, nearly all are late. Nor are requests that wait in an engine's gauges a sign by
// themselves, for prompts that are about to be read are counted there, too. Whole answers' times follow their lengths.
//
// It finds what an engine bears of the requests that it gets, which long prompts make fewer and short ones more, not a number
// that the engine has. An engine with very much room grows with the traffic only: more is never tried than is asked for.

const CUT = 0.8;
const MOST = 4096;
/** However small the limit, so many answers make a round. */
const LEAST_ROUND = 10;
const MOST_ROUNDS = 64;
/** After the first cut a round adds this share. */
const GROWTH = 1 / 8;
/** So large a share of late first tokens is a queue. */
const LATE_SHARE = 0.3;
const NEWEST = 0.1;

export class SlotLimit {
  #slots: number;
  #isKnown: boolean;
  /** First tokens in time since the last change, while all slots were used. */
  #inTime = 0;
  /** First tokens of requests sent before the last cut, which are not to cause another. */
  #immune = 0;
  #isSearching = true;
  /** The number that was too many last. */
  #failedAt = Infinity;
  /** Rounds in time before that is tried again. */
  #roundsToRetry = 1;
  #lateShare = 0;

  constructor(slots: number, isKnown: boolean) {
    this.#slots = slots;
    this.#isKnown = isKnown;
  }

  get slots(): number {
    return this.#slots;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The control plane's word: a known number holds, a guess only where nothing was learned. */
  told(slots: number, isKnown: boolean): void {
    if (isKnown) this.#slots = slots;
    this.#isKnown = isKnown;
  }

  /** A first token came in time, with so many leases open. */
  inTime(running: number): void {
    if (this.#immune > 0) this.#immune -= 1;
    else this.#lateShare -= NEWEST * this.#lateShare;
    if (this.#isKnown || running < this.#slots) return;
    this.#inTime += 1;
    const more = this.#isSearching ? this.#slots : Math.max(1, Math.floor(GROWTH * this.#slots));
    const rounds = this.#slots + more >= this.#failedAt ? this.#roundsToRetry : 1;
    if (this.#inTime < rounds * Math.max(LEAST_ROUND, this.#slots)) return;
    this.#inTime = 0;
    this.#slots = Math.min(MOST, this.#slots + more);
  }

  /** One came late; `bears`: how many the engine computes while others wait in it, where it says so. */
  late(running: number, bears: number | null): void {
    if (this.#immune > 0) {
      this.#immune -= 1;
      return;
    }
    this.#lateShare += NEWEST * (1 - this.#lateShare);
    if (this.#lateShare < LATE_SHARE) return;
    // Few at once are not too many.
    if (this.#isKnown || running * 2 < this.#slots) return;
    this.#isSearching = false;
    // The same number failing again is tried less often; another one is news.
    this.#roundsToRetry = this.#slots === this.#failedAt ? Math.min(MOST_ROUNDS, 2 * this.#roundsToRetry) : 1;
    this.#failedAt = this.#slots;
    this.#inTime = 0;
    this.#lateShare = 0;
    this.#slots = Math.max(1, Math.min(this.#slots - 1, Math.floor(Math.max(CUT * this.#slots, bears ?? 0))));
    this.#immune = Math.max(LEAST_ROUND, this.#slots);
  }
}
