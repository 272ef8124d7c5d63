import type { ErrorCode } from '../../fleet/errors.ts';
import type { BodySink, PacedBody } from '../../http-client/exchange.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Deadline, Deadlines } from '../../lib/deadlines.ts';
import type { Leaving } from '../leaving.ts';
import type { BodyReceiver, ClientRequest } from './client-request.ts';
import { declaredLength, isMalformed } from './read-body.ts';

// A client's long form on its way to a node. It is read until it is known where it goes; then reading stops, which holds the client back,
// while it waits for a slot; with the slot the rest passes through, each piece after it was looked at, so that a form that turns out
// bad is cut off before its end and no node takes it for whole.
//
// What it does not protect against. A client that is held back cannot be seen to leave: its goodbye stands behind the bytes that nobody reads
// (and, its window being closed, often still on its own side). So it keeps its place in the waiting room until its turn or the end
// of its wait. And a client that sends a byte now and then keeps its slot as long as it does.

export interface Scan {
  readonly isPlaceable: boolean;
  push(piece: Buffer): ErrorCode | null;
  end(): ErrorCode | null;
}

export interface UploadOptions {
  readonly scan: Scan;
  readonly limitBytes: number;
  /** For what comes before it can be placed; afterwards the longest time without any byte, where bytes are waited for. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly leaving: Leaving;
  /** The request must end: its body is bad, too long or too slow. Called once at most. */
  readonly onFault: (code: ErrorCode, message?: string) => void;
}

const MALFORMED_BODY = 'The body is not well-formed HTTP/1.1: its chunks are broken.';

export class Upload implements BodyReceiver {
  receivedBytes = 0;
  /** Monotonic ms of the last byte that came, or was taken. */
  movedAt: number;
  /** A node was sent some of it, so that no other can have it. */
  isSpent = false;
  /** Resolves when it can be placed, is whole, or its request is over for another reason. */
  readonly opened: Promise<void>;
  readonly #request: ClientRequest;
  readonly #options: UploadOptions;
  readonly #declared: number | null;
  readonly #open: () => void;
  #deadline: Deadline;
  #held: Buffer[] = [];
  #headBytes = 0;
  #sink: BodySink | null = null;
  #isPaused = false;
  #isWhole = false;
  #isOver = false;
  #isOpen = false;

  /** Reads from here on. Call it in the step in which the request came. */
  constructor(request: ClientRequest, options: UploadOptions) {
    const { clock, deadlines, leaving, timeoutMs } = options;
    this.#request = request;
    this.#options = options;
    this.#declared = request.headers['content-length'] === undefined ? null : declaredLength(request);
    this.movedAt = clock.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#deadline = deadlines.set(timeoutMs, () => this.#fail('body_timeout'));
    this.#open = () => {
      if (this.#isOpen) return;
      this.#isOpen = true;
      this.#deadline.cancel();
      leaving.tell(null);
      resolve();
    };
    leaving.tell(() => this.#open());
    request.takeBody(this);
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Its length where it is known, else what has come of it. */
  get expectedBytes(): number {
    return this.#declared ?? this.receivedBytes;
  }

  /** All that was held until it could be placed. From now on only what `behind` sends is there. */
  takeHead(): Buffer {
    const head = Buffer.concat(this.#held);
    this.#held = [];
    this.#headBytes = head.length;
    return head;
  }

  /** The body for a node, behind `head` in place of the one that was taken. */
  behind(head: Buffer): PacedBody {
    const length = this.#isWhole ? this.receivedBytes : this.#declared;
    return {
      bytes: length === null ? null : length - this.#headBytes + head.length,
      pour: (sink) => this.#pour(head, sink),
      pause: () => this.#pause(),
      resume: () => this.#resume(),
    };
  }

  /** It is wanted no more: what still comes of it is the stream's. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink = null;
    this.#held = [];
    this.#deadline.cancel();
    this.#request.releaseBody();
  }

  onChunk(piece: Buffer): void {
    const { scan, limitBytes, clock } = this.#options;
    this.receivedBytes += piece.length;
    this.movedAt = clock.now();
    if (this.receivedBytes > limitBytes) return this.#fail('body_too_large');
    // With its last byte a body whose length was told is whole for the node.
    const fault = scan.push(piece) ?? (this.receivedBytes === this.#declared ? scan.end() : null);
    if (fault !== null) return this.#fail(fault);
    if (this.#sink) return this.#sink.write(piece);
    this.#held.push(piece);
    if (this.#isPaused || !scan.isPlaceable) return;
    this.#pause();
    this.#open();
  }

  onEnd(): void {
    const fault = this.#options.scan.end();
    if (fault !== null) return this.#fail(fault);
    this.#isWhole = true;
    this.#deadline.cancel();
    this.#open();
    this.#sink?.end();
  }

  onError(error: Error): void {
    // That the client is gone its answer's closing tells.
    if (isMalformed(error)) this.#fail('invalid_header', MALFORMED_BODY);
  }

  #pour(head: Buffer, sink: BodySink): void {
    if (this.#isOver) return;
    this.isSpent = true;
    this.#sink = sink;
    this.#isPaused = false;
    sink.write(head);
    for (const piece of this.#held.splice(0)) sink.write(piece);
    if (this.#isWhole) return sink.end();
    this.#deadline = this.#options.deadlines.set(this.#options.timeoutMs, this.#watchClock);
    if (!this.#isPaused) this.#resume();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#request.pauseBody();
  }

  #resume(): void {
    this.#isPaused = false;
    this.movedAt = this.#options.clock.now();
    if (!this.#isOver && !this.#isWhole) this.#request.resumeBody();
  }

  /** Time in which the node takes nothing is not the client's. */
  readonly #watchClock = (): void => {
    const { clock, deadlines, timeoutMs } = this.#options;
    const idleMs = this.#isPaused ? 0 : clock.now() - this.movedAt;
    if (idleMs >= timeoutMs) return this.#fail('body_timeout');
    this.#deadline = deadlines.setOnce(timeoutMs - idleMs, this.#watchClock);
  };

  #fail(code: ErrorCode, message?: string): void {
    this.close();
    this.#open();
    this.#options.onFault(code, message);
  }
}
