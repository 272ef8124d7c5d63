import type { Memory } from '../support/proc.ts';
import type { Quantiles } from '../support/spread.ts';
import type { Address } from './client-connection.ts';

/** What a load is put on, as clients and the kernel see it. */
export interface Target {
  readonly url: string;
  /** Before the dialect's own path, `/v1/chat/completions`. */
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The name clients ask for. */
  readonly model: string;
  /** CPU time used so far by all its processes and threads, ms. */
  readonly cpuMs: () => number;
  /** Of all its processes. */
  readonly memory: () => Memory;
  /** The CPU time by thread. */
  readonly cpuMsByThread?: () => ReadonlyMap<string, number>;
}

/** What one load saw. Counts are of the measured window unless they say otherwise. */
export interface Seen {
  /** Requests sent in all, warm-up included. */
  readonly sent: number;
  /** Good answers (or refusals where those are asked for), or events of streams, in the window. */
  readonly good: number;
  readonly windowSeconds: number;
  readonly cpuStartMs: number;
  readonly cpuEndMs: number;
  /** What was not as it must be, in all: reason → times. A run with any is not counted as clean. */
  readonly wrong: Readonly<Record<string, number>>;
  readonly totalMs: Quantiles;
  readonly ownMs: Quantiles;
  readonly connectionsOpened: number;
  /** Under load, at the end of the window. */
  readonly memory: Memory;
  /** The harness's own lateness at p99, ms; 0 where there is no schedule. */
  readonly lateMs: number;
}

export function addressOf({ url }: { readonly url: string }): Address {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

export const CHAT = '/v1/chat/completions';

/** Counts reasons. */
export class Wrongs {
  readonly #counts = new Map<string, number>();

  add(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
