// Who got how much while more than one wanted it: service in windows of 10 s, counted as uncached prompt tokens plus twice
// the generated ones. A caller is backlogged in a window if at no moment of it all its requests had been started. Jain's
// index (Σx)²/(n·Σx²) is taken over the backlogged callers of each window with at least two of them; the figure is the mean
// over such windows, null where there was none.

const WINDOW_MS = 10_000;

interface Account {
  waiting: number;
  /** Least number of waiting requests in the present window. */
  least: number;
  service: number;
}

export class Fairness {
  readonly #accounts: Account[];
  #window = 0;
  readonly #indices: number[] = [];

  constructor(callers: number) {
    this.#accounts = Array.from({ length: callers }, () => ({ waiting: 0, least: 0, service: 0 }));
  }

  arrived(caller: number, now: number): void {
    this.#roll(now);
    const account = this.#accounts[caller];
    if (account) account.waiting += 1;
  }

  /** One of its requests left the queue, for an engine or for good. */
  started(caller: number, now: number): void {
    this.#roll(now);
    const account = this.#accounts[caller];
    if (!account) return;
    account.waiting -= 1;
    account.least = Math.min(account.least, account.waiting);
  }

  served(caller: number, tokens: number, now: number): void {
    this.#roll(now);
    const account = this.#accounts[caller];
    if (account) account.service += tokens;
  }

  /** The mean index, and over how many windows. */
  result(): { jain: number | null; windows: number } {
    const { length } = this.#indices;
    if (length === 0) return { jain: null, windows: 0 };
    return { jain: this.#indices.reduce((sum, index) => sum + index, 0) / length, windows: length };
  }

  #roll(now: number): void {
    const window = Math.floor(now / WINDOW_MS);
    while (this.#window < window) {
      this.#window += 1;
      const index = jain(this.#accounts.filter(({ least }) => least > 0).map(({ service }) => service));
      if (index !== null) this.#indices.push(index);
      for (const account of this.#accounts) {
        account.least = account.waiting;
        account.service = 0;
      }
    }
  }
}

/** Jain's index of shares; null for fewer than two, or where nobody got anything. */
export function jain(shares: readonly number[]): number | null {
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return shares.length < 2 || squares === 0 ? null : (sum * sum) / (shares.length * squares);
}
