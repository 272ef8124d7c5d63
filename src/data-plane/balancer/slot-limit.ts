// How many requests a node is given at once. What the operator set or the engine told is respected; a guess is the start of a search.
// While all its slots are used and first tokens come in time it is given more: doubled with each round at first, later one more.
// When a first token comes late, or the engine says that requests wait inside, it is given a fifth less, or just as many as the
// engine says it runs; once per round, since what was sent before the cut says nothing of it. Whole answers' times are no
// signal: they follow their lengths. A round is as many first tokens as there are slots.
//
// It finds what an engine bears of the requests that it gets, which long prompts make fewer and short ones more, not a number
// that the engine has. An engine with very much room grows with the traffic only: more is never tried than is asked for.

const CUT = 0.8;
const MOST = 4096;
/** However small the limit, so many answers make a round. */
const LEAST_ROUND = 10;
const MOST_ROUNDS = 64;

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
    if (this.#isKnown || running < this.#slots) return;
    this.#inTime += 1;
    const rounds = this.#slots + 1 >= this.#failedAt ? this.#roundsToRetry : 1;
    if (this.#inTime < rounds * Math.max(LEAST_ROUND, this.#slots)) return;
    this.#inTime = 0;
    this.#slots = Math.min(MOST, this.#isSearching ? 2 * this.#slots : this.#slots + 1);
  }

  /** One came late, or requests wait inside the engine; `bears`: how many it computes, where it says so. */
  late(running: number, bears: number | null): void {
    if (this.#immune > 0) {
      this.#immune -= 1;
      return;
    }
    // Few at once are not too many.
    if (this.#isKnown || running * 2 < this.#slots) return;
    this.#isSearching = false;
    // The same number failing again is tried less often; another one is news.
    this.#roundsToRetry = this.#slots === this.#failedAt ? Math.min(MOST_ROUNDS, 2 * this.#roundsToRetry) : 1;
    this.#failedAt = this.#slots;
    this.#inTime = 0;
    this.#slots = Math.max(1, Math.min(this.#slots - 1, Math.floor(Math.max(CUT * this.#slots, bears ?? 0))));
    this.#immune = Math.max(LEAST_ROUND, this.#slots);
  }
}
