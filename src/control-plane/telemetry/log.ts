import { pino } from 'pino';
import type { Settings } from '../../fleet/settings.ts';
import type { Settlement } from '../../fleet/settlement.ts';
import { Ring } from '../../lib/ring.ts';

// The router's log: JSON lines, one per request at most, written by this thread so that the data plane never waits for a
// terminal. The last lines are kept for the admin API, also where the output is silent. A line holds no prompt, no answer, no
// client key and no address.

const KEPT_LINES = 2000;
const WORST_BACKLOG_BYTES = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  readonly info: (message: string, fields?: Fields) => void;
  readonly warn: (message: string, fields?: Fields) => void;
  readonly error: (message: string, fields?: Fields) => void;
  readonly settlement: (settlement: Settlement) => void;
  /** The newest lines, oldest first. */
  readonly tail: (count: number) => readonly string[];
  /** Writes out what waits for the terminal. */
  readonly close: () => void;
}

/** Lines go to stdout unless `level` is `silent`; `write` takes them instead in tests. */
export function createLog(level: Settings['log']['level'], write?: (line: string) => void): Log {
  const ring = new Ring<string>(KEPT_LINES);
  // Asynchronous and bounded: a reader that stalls loses lines, the router does not stall with it.
  const output =
    level === 'silent' || write ? null : pino.destination({ dest: 1, sync: false, maxLength: WORST_BACKLOG_BYTES });
  const logger = pino(
    {
      level: level === 'silent' ? 'info' : level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      errorKey: 'error',
    },
    {
      write: (line: string) => {
        ring.push(line.trimEnd());
        if (level === 'silent') return;
        output?.write(line);
        write?.(line);
      },
    },
  );
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    settlement: (settlement) => logger.info(settlementFields(settlement), 'request'),
    tail: (count) => ring.last(count),
    close: () => closeQuietly(output),
  };
}

function settlementFields(settlement: Settlement): Fields {
  const { id, model, outcome, status, code, dialect, stream, waitMs, firstByteMs, durationMs, usage, keyId } =
    settlement;
  const nodes = settlement.attempts.map((attempt) => attempt.nodeName);
  return {
    id,
    model,
    outcome,
    status,
    code,
    dialect,
    stream,
    waitMs: rounded(waitMs),
    firstByteMs: rounded(firstByteMs),
    durationMs: rounded(durationMs),
    promptTokens: usage?.promptTokens ?? null,
    completionTokens: usage?.completionTokens ?? null,
    nodes,
    keyId,
  };
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}

function closeQuietly(output: { flushSync: () => void } | null): void {
  try {
    output?.flushSync();
  } catch {
    // Nobody reads it any more, or it was never opened: nowhere is left to say so.
  }
}
