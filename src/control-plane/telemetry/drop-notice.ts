import type { Clock } from '../../lib/clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

// History rows that could not be written are counted each, and told at most once a minute: a full disk must not fill the log as
// well.

const TOLD_APART_MS = 60_000;

export class DropNotice {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #log: Log;
  #toldAt = -Infinity;
  #untold = 0;

  constructor(clock: Clock, metrics: Metrics, log: Log) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#log = log;
  }

  dropped(rows: number, reason: string): void {
    this.#metrics.dropHistory(rows);
    this.#untold += rows;
    const now = this.#clock.now();
    if (now - this.#toldAt < TOLD_APART_MS) return;
    this.#log.warn('history rows were dropped; requests are not affected', { rows: this.#untold, reason });
    this.#toldAt = now;
    this.#untold = 0;
  }
}
