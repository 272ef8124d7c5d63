import type { Charge, Claim, LeaseOutcome, Spent, Ticket } from './ticket.ts';

// What callers owe each other: start-time fair queueing over tokens. A caller's tag is how many tokens, by its weight, it was given of
// what others were waiting for too; who waits with the lowest tag is next. An answer's cost is guessed when the slot is handed over
// and set right when the attempt has ended: a prompt's uncached tokens and twice the generated ones.
//
// Only what was waited for is charged. Slots that were free anyway cost nobody anything, so whoever used an idle fleet owes nothing when
// it fills up, and requests that need not wait cost no bookkeeping. Nor can a caller save up: one that comes back starts no lower than
// those that wait, and no higher either, so that what it had of one model does not starve it of another. It is tokens that are
// shared, not places: a node whose tokens are slow gives the same share more of its time.

/** Tokens of an answer of which nothing is known. */
const GUESSED_ANSWER = 256;
/** A generated token costs as much as so many of the prompt. */
const GENERATED = 2;
const NEWEST = 0.05;
const LEAST_WEIGHT = 0.001;
/** Accounts without a waiter that are remembered at most. */
const MOST_IDLE = 4096;
const MOST_MODELS = 4096;

export interface Account {
  readonly caller: string;
  weight: number;
  /** Tokens given, by weight. */
  tag: number;
  /** Until when it was told to stay away, since it holds its share of the places; monotonic ms. -Infinity where it was not. */
  awayUntil: number;
  /** Requests that wait, over all models. */
  waiting: number;
  /** Leases charged to it and not yet settled. */
  charged: number;
}

export class Fairness {
  readonly #accounts = new Map<string, Account>();
  /** By model: tokens of its answers, a moving mean. */
  readonly #answers = new Map<string, number>();
  /** The highest tag that was ever served. */
  #served = 0;
  #sweepAt = MOST_IDLE;
  #latest = { caller: '', at: -Infinity };
  /** The latest of another caller than that. */
  #latestOther = -Infinity;

  get servedTag(): number {
    return this.#served;
  }

  /** A caller asked for something. */
  asked({ caller }: Claim, now: number): void {
    if (this.#latest.caller !== caller) {
      this.#latestOther = this.#latest.at;
      this.#latest.caller = caller;
    }
    this.#latest.at = now;
  }

  /** When anybody but this caller last asked for something; -Infinity for never. */
  othersAskedAt({ caller }: Claim): number {
    return this.#latest.caller === caller ? this.#latestOther : this.#latest.at;
  }

  accountOf({ caller, weight }: Claim): Account {
    let account = this.#accounts.get(caller);
    if (!account) {
      this.#sweep();
      account = { caller, weight, tag: 0, awayUntil: -Infinity, waiting: 0, charged: 0 };
      this.#accounts.set(caller, account);
    }
    account.weight = Math.max(LEAST_WEIGHT, weight);
    return account;
  }

  /** Accounts for a slot that a waiter is handed at `tag`. What is added to its account's tag is the charge's `owed`. */
  charge(account: Account, { model, claim }: Ticket, tag: number): Charge {
    this.#served = Math.max(this.#served, tag);
    const answer = Math.min(claim.maxTokens ?? Infinity, this.#answers.get(model) ?? GUESSED_ANSWER);
    const owed = (claim.promptTokens + GENERATED * answer) / account.weight;
    account.tag += owed;
    account.charged += 1;
    return { account, model, claim, owed };
  }

  /** Sets a charge right when its attempt has ended; returns by how much the account's tag moved. */
  settle({ account, model, claim, owed }: Charge, outcome: LeaseOutcome, spent: Spent | null): number {
    account.charged -= 1;
    const tokens = this.#tokensOf(model, claim, outcome, spent);
    const moved = tokens === null ? 0 : tokens / account.weight - owed;
    account.tag += moved;
    return moved;
  }

  /** Null: as guessed. An attempt that failed costs nothing; one that its client left without a count, its prompt. */
  #tokensOf(model: string, claim: Claim, { kind }: LeaseOutcome, spent: Spent | null): number | null {
    if (kind !== 'served' && kind !== 'neutral') return 0;
    if (!spent || spent.completionTokens === null) return kind === 'served' ? null : claim.promptTokens;
    if (kind === 'served') this.#learn(model, spent.completionTokens);
    const prompt = Math.max(0, (spent.promptTokens ?? claim.promptTokens) - (spent.cachedTokens ?? 0));
    return prompt + GENERATED * spent.completionTokens;
  }

  #learn(model: string, tokens: number): void {
    const mean = this.#answers.get(model);
    if (mean === undefined && this.#answers.size >= MOST_MODELS) this.#answers.clear();
    this.#answers.set(model, mean === undefined ? tokens : mean + NEWEST * (tokens - mean));
  }

  /** Forgets callers that are as good as new; where there are very many, all that neither wait nor run. */
  #sweep(): void {
    if (this.#accounts.size < this.#sweepAt) return;
    for (const mayOwe of [false, true]) {
      for (const [caller, { waiting, charged, tag }] of this.#accounts) {
        if (waiting === 0 && charged === 0 && (mayOwe || tag <= this.#served)) this.#accounts.delete(caller);
      }
      if (this.#accounts.size < MOST_IDLE / 2) break;
    }
    this.#sweepAt = Math.max(MOST_IDLE, 2 * this.#accounts.size);
  }
}
