import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sleep } from '../far-side/closed-loop.ts';
import type { RecordCounts, Records } from './candidate.ts';

// Whether every request was recorded: rows of the history, lines of the log and the metric, each read from outside. A run is not over, and
// its CPU time not known, before the records are written: work put off must not look like work saved. Files are polled, since asking the
// router would cost it CPU time; the metric is asked last.

const PATIENCE_MS = 20_000;
const STEP_MS = 25;
const LINE = '"message":"request"';

export class WeirRecords implements Records {
  readonly #database: string;
  readonly #log: string;
  readonly #metrics: () => Promise<string>;
  #readTo = 0;
  #rest = '';
  #lines = 0;

  constructor(database: string, log: string, metrics: () => Promise<string>) {
    this.#database = database;
    this.#log = log;
    this.#metrics = metrics;
  }

  async now(): Promise<RecordCounts> {
    return { rows: this.#rows(), lines: this.#countLines(), counted: requestsCounted(await this.#metrics()) };
  }

  async settled(before: RecordCounts, count: number): Promise<string | null> {
    const from = performance.now();
    while (performance.now() - from < PATIENCE_MS) {
      if (this.#countLines() - before.lines >= count && this.#rows() - before.rows >= count) return null;
      await sleep(STEP_MS);
    }
    return 'records not written in time';
  }

  #rows(): number {
    const database = new DatabaseSync(this.#database, { readOnly: true, timeout: 5000 });
    try {
      return Number(database.prepare('SELECT count(*) AS rows FROM requests').get()?.['rows'] ?? Number.NaN);
    } finally {
      database.close();
    }
  }

  #countLines(): number {
    const file = openSync(this.#log, 'r');
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#readTo));
      const got = readSync(file, bytes, 0, bytes.length, this.#readTo);
      this.#readTo += got;
      const text = this.#rest + bytes.toString('latin1', 0, got);
      const whole = text.lastIndexOf('\n') + 1;
      this.#rest = text.slice(whole);
      for (let at = text.indexOf(LINE); at >= 0 && at < whole; at = text.indexOf(LINE, at + 1)) this.#lines += 1;
    } finally {
      closeSync(file);
    }
    return this.#lines;
  }
}

/** The sum of `weir_requests_total` over its labels. */
export function requestsCounted(metrics: string): number {
  let sum = 0;
  for (const [, value] of metrics.matchAll(/^weir_requests_total(?:\{[^}]*\})? (\d+)/gm)) sum += Number(value);
  return sum;
}

/** What differs from `count` more than before, or null. */
export function recordsProblem(before: RecordCounts, after: RecordCounts, count: number): string | null {
  const rows = after.rows - before.rows;
  const lines = after.lines - before.lines;
  const counted = after.counted - before.counted;
  if (rows === count && lines === count && counted === count) return null;
  return `${count} requests, but ${rows} history rows, ${lines} log lines and ${counted} in the metric`;
}
