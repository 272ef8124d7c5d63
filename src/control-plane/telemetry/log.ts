import { pino } from 'pino';
import type { Settings } from '../../fleet/settings.ts';
import type { Settlement } from '../../fleet/settlement.ts';
import { KeptLines } from './kept-lines.ts';
import { RequestLines } from './request-line.ts';

// The router's log: JSON lines, one per request at most, written by this thread so that the data plane never waits for a
// terminal. Requests come and are written many at a time; everything else is rare and goes through pino. The last lines are kept
// for the admin API, also where the output is silent. A line holds no prompt, no answer, no client key and no address.

const KEPT_LINES = 2000;
const WORST_BACKLOG_BYTES = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  readonly info: (message: string, fields?: Fields) => void;
  readonly warn: (message: string, fields?: Fields) => void;
  readonly error: (message: string, fields?: Fields) => void;
  /** One line each, all at once. */
  readonly requests: (settlements: readonly Settlement[]) => void;
  /** The newest lines, oldest first. */
  readonly tail: (count: number) => readonly string[];
  /** Calls back with whole lines as they come; returns what ends that. */
  readonly follow: (listener: (lines: string) => void) => () => void;
  /** Writes lines of this level and above from now on. */
  readonly setLevel: (level: Settings['log']['level']) => void;
  /** Writes out what waits for the terminal. */
  readonly close: () => void;
}

/** Lines go to stdout unless `level` is `silent`; `write` takes them instead in tests, as they would go there. */
export function createLog(initial: Settings['log']['level'], write?: (lines: string) => void): Log {
  const kept = new KeptLines(KEPT_LINES);
  const requestLines = new RequestLines();
  const followers = new Set<(lines: string) => void>();
  let level = initial;
  let output = level === 'silent' || write ? null : openOutput();
  const put = (text: string, lines: number): void => {
    kept.push(text, lines);
    for (const follower of followers) follower(text);
    if (level === 'silent') return;
    output?.write(text);
    write?.(text);
  };
  const logger = pino(
    {
      level: keptLevel(level),
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      errorKey: 'error',
    },
    { write: (line: string) => put(line, 1) },
  );
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    requests: (settlements) => {
      if (settlements.length === 0 || !logger.isLevelEnabled('info')) return;
      put(settlements.map((settlement) => requestLines.line(settlement)).join(''), settlements.length);
    },
    tail: (count) => kept.last(count),
    follow: (listener) => {
      followers.add(listener);
      return () => void followers.delete(listener);
    },
    setLevel: (next) => {
      level = next;
      logger.level = keptLevel(next);
      if (level !== 'silent' && !write) output ??= openOutput();
    },
    close: () => closeQuietly(output),
  };
}

/** Asynchronous and bounded: a reader that stalls loses lines, the router does not stall with it. */
function openOutput(): ReturnType<typeof pino.destination> {
  return pino.destination({ dest: 1, sync: false, maxLength: WORST_BACKLOG_BYTES });
}

/** Lines are kept for the admin API where none is written. */
function keptLevel(level: Settings['log']['level']): string {
  return level === 'silent' ? 'info' : level;
}

function closeQuietly(output: { flushSync: () => void } | null): void {
  try {
    output?.flushSync();
  } catch {
    // Nobody reads it any more, or it was never opened: nowhere is left to say so.
  }
}
