import { setTimeout as delay } from 'node:timers/promises';

const POLL_EVERY_MS = 5;

export interface Bounds {
  /** What is waited for, as it should read in "gave up waiting for …"; a function may add the present state. */
  readonly what: string | (() => string);
  /** Default 5000. Generous: it is spent only when the test fails. */
  readonly withinMs?: number;
}

/**
 * Polls until `predicate` returns something other than false, null or undefined, and returns that. Rejects with a message that
 * names `what` when the time is up, and with the predicate's own error if it throws.
 */
export async function until<T>(
  predicate: () => T | Promise<T>,
  { what, withinMs = 5000 }: Bounds,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = process.hrtime.bigint() + BigInt(Math.ceil(withinMs * 1e6));
  for (;;) {
    const value = await predicate();
    if (isThere(value)) return value;
    if (process.hrtime.bigint() >= deadline) {
      throw new Error(`gave up waiting for ${typeof what === 'string' ? what : what()} after ${withinMs} ms`);
    }
    await delay(POLL_EVERY_MS);
  }
}

function isThere<T>(value: T): value is Exclude<T, false | null | undefined> {
  return value !== false && value !== null && value !== undefined;
}
