import type { ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';

// The client's side of a relay: what was written, when it began, and whether the client keeps up. Where it does not, the node
// is paused, so that a slow client costs the socket's buffer and never the answer's length.

export class Outlet {
  /** Monotonic ms of the first byte; null before it. */
  firstByteAt: number | null = null;
  sentBytes = 0;
  /** Monotonic ms since when the client has taken nothing; null while it keeps up. */
  stuckSince: number | null = null;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #whenStuck: () => void;
  readonly #whenTaken: () => void;

  constructor(response: ServerResponse, clock: Clock, whenStuck: () => void, whenTaken: () => void) {
    this.#response = response;
    this.#clock = clock;
    this.#whenStuck = whenStuck;
    this.#whenTaken = whenTaken;
  }

  get hasBegun(): boolean {
    return this.firstByteAt !== null;
  }

  /** Sends the head; the first bytes of the body follow in the same step. */
  begin(status: number, headers: readonly string[]): void {
    this.firstByteAt = this.#clock.now();
    this.#response.writeHead(status, [...headers]);
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.sentBytes += bytes.length;
    if (this.#response.write(bytes) || this.stuckSince !== null) return;
    this.stuckSince = this.#clock.now();
    this.#whenStuck();
    this.#response.once('drain', () => {
      this.stuckSince = null;
      this.#whenTaken();
    });
  }

  end(): void {
    this.#response.end();
  }

  /** The client is given up. */
  cut(): void {
    this.#response.destroy();
  }
}
