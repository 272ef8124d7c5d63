import type { Clock } from '../../src/lib/clock.ts';

// The crowd's own books: every request sent ends in exactly one of these ways.

export const endings = ['served', 'refused', 'timedOut', 'failed', 'gone'] as const;
export type Ending = (typeof endings)[number];

const RECENT_MS = 10_000;

interface Served {
  readonly at: number;
  readonly waitMs: number;
}

export class Tally {
  readonly #clock: Clock;
  readonly #counts: Record<Ending, number> = { served: 0, refused: 0, timedOut: 0, failed: 0, gone: 0 };
  readonly #waits: Served[] = [];
  #sent = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get sent(): number {
    return this.#sent;
  }

  get counts(): Readonly<Record<Ending, number>> {
    return this.#counts;
  }

  /** Requests without an end yet; 0 when the books are balanced. */
  get open(): number {
    return this.#sent - endings.reduce((sum, ending) => sum + this.#counts[ending], 0);
  }

  /** Counts a request; its number. */
  send(): number {
    this.#sent += 1;
    return this.#sent;
  }

  /** Counts an end; `waitMs` is how long a served request waited in the router. */
  end(ending: Ending, waitMs: number | null): void {
    this.#counts[ending] += 1;
    if (ending === 'served' && waitMs !== null) this.#waits.push({ at: this.#clock.now(), waitMs });
  }

  /** Ms that a share (0 to 1) of the served requests of the last 10 s, or of all, waited at most; null without any. */
  waitMs(share: number, which: 'recent' | 'all'): number | null {
    const since = which === 'all' ? -Infinity : this.#clock.now() - RECENT_MS;
    const waits = this.#waits
      .filter(({ at }) => at >= since)
      .map(({ waitMs }) => waitMs)
      .toSorted((a, b) => a - b);
    return waits[Math.max(0, Math.ceil(share * waits.length) - 1)] ?? null;
  }

  /** Served per second over the last 10 s, or over `elapsedMs` if that is less. */
  servedPerSecond(elapsedMs: number): number {
    const now = this.#clock.now();
    const recent = this.#waits.filter(({ at }) => at >= now - RECENT_MS).length;
    return recent / (Math.max(1, Math.min(RECENT_MS, elapsedMs)) / 1000);
  }
}
