import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Settlement } from '../../fleet/settlement.ts';
import type { Clock } from '../../lib/clock.ts';
import { uuid7From } from '../../lib/uuid7.ts';
import { StoreWriteError, transaction } from './database.ts';

// Request history, written in batches: one transaction for all settlements that arrived within a short while, so that a
// thousand requests a second cost ten commits a second. What SQLite refuses (a full disk) is dropped and counted: history is
// worth less than requests, and memory is bounded. While another program holds the file (a backup, an open shell), rows wait for it,
// up to a number and a time; each try blocks this thread for the database's own patience, hence the pause between them.

/** Together with the data plane's own batching a crash loses less than 250 ms. */
const FLUSH_MS = 100;
const RETRY_MS = 1000;
const LOCKED_MOST_MS = 30_000;
const LOCKED_MOST_ROWS = 10_000;
/** Each as long as the database's patience: a stop waits a second for whoever holds the file. */
const TRIES_AT_STOP = 4;
const FIRST_PRUNE_MS = 2000;
const PRUNE_EVERY_MS = 10 * 60_000;
const PRUNE_AT_ONCE = 2000;
const DAY_MS = 86_400_000;

const LOCKED = 'another program holds the database';

export interface HistoryOptions {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly days: number;
  readonly maxRows: number;
  readonly addressHmac: (address: string) => string;
  /** Rows were dropped. */
  readonly onDrop: (rows: number, reason: string) => void;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #insertRequest: StatementSync;
  readonly #insertAttempt: StatementSync;
  #pending: Settlement[] = [];
  #cancelFlush: (() => void) | null = null;
  #cancelPrune: () => void;
  #rows: number;
  /** Monotonic ms since which another program has held the file; null: it does not. */
  #lockedAt: number | null = null;

  constructor(options: HistoryOptions) {
    const { database } = options;
    this.#options = options;
    this.#insertRequest = database.prepare(
      `INSERT OR IGNORE INTO requests VALUES (${Array.from({ length: 29 }, () => '?').join(', ')})`,
    );
    this.#insertAttempt = database.prepare('INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#rows = Number(database.prepare('SELECT count(*) AS rows FROM requests').get()?.['rows'] ?? 0);
    this.#cancelPrune = options.clock.after(FIRST_PRUNE_MS, () => this.#pruneOld());
  }

  /** Written within 100 ms, unless another program holds the file. */
  add(settlements: readonly Settlement[]): void {
    this.#pending.push(...settlements);
    if (this.#lockedAt !== null) this.#dropSurplus();
    this.#cancelFlush ??= this.#options.clock.after(FLUSH_MS, () => this.flush());
  }

  /** Writes what waits, or drops it; what only waits for another program stays. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    try {
      transaction(this.#options.database, () => {
        for (const settlement of batch) this.#insert(settlement);
      });
      this.#rows += batch.length;
      this.#lockedAt = null;
    } catch (error) {
      if (!(error instanceof StoreWriteError)) throw error;
      if (!error.isLocked) this.#lockedAt = null;
      else if (this.#mayWait()) return this.#retryLater(batch);
      this.#options.onDrop(batch.length, error.message);
    }
    if (this.#rows > this.#options.maxRows) this.#pruneSurplus();
  }

  /** Writes what waits and writes no more. */
  stop(): void {
    for (let tries = 0; tries < TRIES_AT_STOP; tries += 1) this.flush();
    this.#cancelFlush?.();
    if (this.#pending.length > 0) this.#options.onDrop(this.#pending.length, LOCKED);
    this.#pending = [];
    this.#cancelPrune();
  }

  #mayWait(): boolean {
    const { clock } = this.#options;
    this.#lockedAt ??= clock.now();
    return clock.now() - this.#lockedAt < LOCKED_MOST_MS;
  }

  #retryLater(batch: Settlement[]): void {
    this.#pending = batch;
    this.#dropSurplus();
    this.#cancelFlush = this.#options.clock.after(RETRY_MS, () => this.flush());
  }

  /** The oldest go: what is going on now is asked for more often. */
  #dropSurplus(): void {
    const surplus = this.#pending.length - LOCKED_MOST_ROWS;
    if (surplus <= 0) return;
    this.#pending.splice(0, surplus);
    this.#options.onDrop(surplus, LOCKED);
  }

  #insert(settlement: Settlement): void {
    const { usage, address, attempts } = settlement;
    const last = attempts.at(-1);
    this.#insertRequest.run(
      settlement.id,
      settlement.clientRequestId,
      settlement.traceparent,
      Math.round(settlement.arrivedAt),
      settlement.dialect,
      settlement.path,
      settlement.model,
      settlement.keyId,
      address === null ? null : this.#options.addressHmac(address),
      settlement.stream ? 1 : 0,
      settlement.outcome,
      settlement.status,
      settlement.code,
      settlement.waitMs,
      settlement.firstByteMs,
      settlement.durationMs,
      settlement.requestBytes,
      settlement.responseBytes,
      whole(usage?.promptTokens),
      whole(usage?.completionTokens),
      whole(usage?.cachedTokens),
      usage ? Number(usage.estimated) : null,
      last?.nodeId ?? null,
      last?.nodeName ?? null,
      last?.startedAfterMs ?? null,
      last?.durationMs ?? null,
      last?.status ?? null,
      last?.end ?? null,
      last?.model ?? null,
    );
    for (let position = 0; position < attempts.length - 1; position += 1) {
      const attempt = attempts[position];
      if (!attempt) continue;
      const { nodeId, nodeName, startedAfterMs, durationMs, status, end, model } = attempt;
      this.#insertAttempt.run(
        settlement.id,
        position,
        nodeId,
        nodeName,
        startedAfterMs,
        durationMs,
        status,
        end,
        model,
      );
    }
  }

  #pruneOld(): void {
    const before = uuid7From(this.#options.clock.wall() - this.#options.days * DAY_MS);
    const sql = 'DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE id < ? LIMIT ?)';
    const removed = this.#remove(sql, before, PRUNE_AT_ONCE);
    // In pieces, so that settlements and the admin API get their turn in between.
    const nextMs = removed === PRUNE_AT_ONCE ? FLUSH_MS : PRUNE_EVERY_MS;
    this.#cancelPrune = this.#options.clock.after(nextMs, () => this.#pruneOld());
  }

  #pruneSurplus(): void {
    const surplus = Math.min(this.#rows - this.#options.maxRows, PRUNE_AT_ONCE);
    this.#remove('DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY id LIMIT ?)', surplus);
  }

  #remove(sql: string, ...values: readonly (string | number)[]): number {
    const { database } = this.#options;
    try {
      const { changes } = transaction(database, () => database.prepare(sql).run(...values));
      this.#rows -= Number(changes);
      return Number(changes);
    } catch (error) {
      if (error instanceof StoreWriteError) return 0;
      throw error;
    }
  }
}

function whole(tokens: number | null | undefined): number | null {
  return typeof tokens === 'number' ? Math.round(tokens) : null;
}
