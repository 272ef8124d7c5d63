// Takes a node out after it failed too often: 5 faults in a row, or half of its last 20 outcomes. It stays out for 5 s,
// doubling up to 60 s, then one real request may try it (half-open): its success closes the breaker, its fault opens it
// again. Outcomes that say nothing about the node (the client left, a 4xx) move nothing.
// A server error is only a suspicion until another node has served the same request, for it may be the request that breaks
// nodes. But a node that fails at once is always idle, so the least loaded, and would be sent everything until the
// first proof comes in: 5 suspicions in a row take it out for 1 s, and a suspicion ends a trial without success.
// What it does not do: judge latency, or protect the last nodes of a model; `mayOpen` is asked before it opens, so that
// never more than half of a model's nodes are out at once: a doubtful node is better than none.

const FAULTS_IN_A_ROW = 5;
const WINDOW = 20;
const OPEN_ON_SUSPICION_MS = 1_000;
const OPEN_FIRST_MS = 5_000;
const OPEN_MOST_MS = 60_000;

export type BreakerState = 'closed' | 'open' | 'half-open';

export class Breaker {
  #state: BreakerState = 'closed';
  #inARow = 0;
  #suspicionsInARow = 0;
  /** True while it is open for a suspicion in a trial; the proof makes the next time out longer. */
  #isUnproven = false;
  /** The last outcomes as bits, 1 for a fault; the youngest is the lowest. */
  #window = 0;
  #outcomes = 0;
  #openMs = OPEN_FIRST_MS;
  #openUntil = 0;
  #trialRuns = false;

  stateAt(now: number): BreakerState {
    if (this.#state === 'open' && now >= this.#openUntil) this.#state = 'half-open';
    return this.#state;
  }

  /** True where a request may be sent now. */
  allows(now: number): boolean {
    const state = this.stateAt(now);
    return state === 'closed' || (state === 'half-open' && !this.#trialRuns);
  }

  /** A lease was taken. Returns true if it is the half-open trial. */
  take(now: number): boolean {
    if (this.stateAt(now) !== 'half-open') return false;
    this.#trialRuns = true;
    return true;
  }

  /** The trial ended without telling anything; another may try. */
  trialEnded(): void {
    this.#trialRuns = false;
  }

  success(trial: boolean): void {
    if (trial) this.close();
    // Answers begun before the breaker opened still end well afterwards; they do not close it.
    if (this.#state !== 'closed') return;
    this.#inARow = 0;
    this.#suspicionsInARow = 0;
    this.#note(0);
  }

  /** Returns when the node is let in again, in monotonic ms, if this fault took it out; else null. */
  fault(trial: boolean, now: number, mayOpen: () => boolean): number | null {
    if (trial && this.#state !== 'closed') {
      this.#lengthen();
      return this.#open(now, this.#openMs);
    }
    if (this.#state !== 'closed') return null;
    this.#inARow += 1;
    this.#note(1);
    const halfFailed = this.#outcomes >= WINDOW && faultsIn(this.#window) * 2 >= WINDOW;
    return (this.#inARow >= FAULTS_IN_A_ROW || halfFailed) && mayOpen() ? this.#open(now, this.#openMs) : null;
  }

  /** It failed a request that perhaps nobody could have served. Returns like `fault`. */
  suspect(trial: boolean, now: number, mayOpen: () => boolean): number | null {
    if (trial && this.#state !== 'closed') {
      const until = this.#open(now, this.#openMs);
      this.#isUnproven = true;
      return until;
    }
    if (this.#state !== 'closed') return null;
    this.#suspicionsInARow += 1;
    return this.#suspicionsInARow >= FAULTS_IN_A_ROW && mayOpen() ? this.#open(now, OPEN_ON_SUSPICION_MS) : null;
  }

  /** A suspicion was right: another node served what this one failed. Returns like `fault`. */
  blame(now: number, mayOpen: () => boolean): number | null {
    const state = this.stateAt(now);
    if (state === 'closed') return this.fault(false, now, mayOpen);
    if (this.#isUnproven) this.#lengthen();
    this.#isUnproven = false;
    return state === 'half-open' ? this.#open(now, this.#openMs) : null;
  }

  /** Lets the node in with a clean record. */
  close(): void {
    this.#state = 'closed';
    this.#openMs = OPEN_FIRST_MS;
    this.#reset();
  }

  #lengthen(): void {
    this.#openMs = Math.min(OPEN_MOST_MS, this.#openMs * 2);
  }

  #open(now: number, forMs: number): number {
    this.#state = 'open';
    this.#openUntil = now + forMs;
    this.#reset();
    return this.#openUntil;
  }

  #reset(): void {
    this.#trialRuns = false;
    this.#isUnproven = false;
    this.#inARow = 0;
    this.#suspicionsInARow = 0;
    this.#window = 0;
    this.#outcomes = 0;
  }

  #note(bit: 0 | 1): void {
    this.#window = ((this.#window << 1) | bit) & ((1 << WINDOW) - 1);
    this.#outcomes = Math.min(WINDOW, this.#outcomes + 1);
  }
}

function faultsIn(window: number): number {
  let count = 0;
  for (let rest = window; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
