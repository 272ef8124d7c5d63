import type { ServerResponse } from 'node:http';
import type { Exchange, ExchangeError, Receiver, ResponseHeaders } from '../../http-client/exchange.ts';
import type { AttemptEnd, Usage } from '../../fleet/settlement.ts';
import type { Clock } from '../../lib/clock.ts';
import type { AnswerWatch } from './answer-watch.ts';
import { watchNdjson } from './ndjson.ts';
import { watchSse } from './sse.ts';
import { readWhole } from './whole.ts';

// One attempt's answer on its way from the node to the client.
//
// Nothing is sent before it is worth it: a stream's head waits for the first frame, a whole answer for its end (or 256 KB). Until
// then a failing node is a retry that the client never sees; from then on the answer has *begun* and belongs to this node.
// Backpressure goes both ways: a client that does not take what it is sent pauses the node's socket, and the node's silence is
// not held against it while it is paused. Frames are never cut: what is written ends at a frame's end, so that an error event can
// follow at any time.

const HELD_BYTES = 256 * 1024;
const REFUSAL_BYTES = 64 * 1024;

export interface RelayTimeouts {
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
}

export interface RelayOptions {
  readonly response: ServerResponse;
  readonly askedModel: string;
  readonly timeouts: RelayTimeouts;
  readonly clock: Clock;
  /** The router's own headers of the answer, asked for when it begins: name, value, … */
  readonly ownHeaders: () => readonly string[];
}

/** A node's answer other than 2xx, to be judged; nothing of it was sent. */
export interface Refusal {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
}

export interface RelayEnd {
  /** `refused`: judge `refusal`. */
  readonly end: AttemptEnd | 'refused';
  readonly status: number | null;
  readonly refusal: Refusal | null;
  /** True if any of the answer was sent to the client. */
  readonly begun: boolean;
  /** The error the node reported within a 2xx answer; not scrubbed of addresses. */
  readonly nodeMessage: string | null;
  readonly usage: Usage | null;
  /** Monotonic ms of the first byte sent to the client; null where none was. */
  readonly firstByteAt: number | null;
  readonly sentBytes: number;
  /** True if the answer is a stream of events or lines, into which an error can be written. */
  readonly isStream: boolean;
}

export class AnswerRelay implements Receiver {
  /** Resolves once, when the exchange has ended or its socket is destroyed. Never rejects. */
  readonly ended: Promise<RelayEnd>;
  readonly #options: RelayOptions;
  readonly #resolve: (end: RelayEnd) => void;
  readonly #startedAt: number;
  #exchange: Exchange | null = null;
  #status: number | null = null;
  #headers: ResponseHeaders = {};
  #watch: AnswerWatch | null = null;
  #framesSeen = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #begun = false;
  #firstByteAt: number | null = null;
  #sentBytes = 0;
  #usage: Usage | null = null;
  /** Monotonic ms of the last sign of life from the side that is waited for: the node, or while paused the client. */
  #aliveAt: number;
  #answering = false;
  #paused = false;
  #over = false;
  #stopTimer: () => void = () => undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#aliveAt = this.#startedAt;
    const { promise, resolve } = Promise.withResolvers<RelayEnd>();
    this.ended = promise;
    this.#resolve = resolve;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Starts the clocks; called once, right after the exchange was started. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#over) exchange.abort();
    else this.#watchClock();
  }

  /** The client is gone: the node is told by closing its socket. */
  clientGone(): void {
    this.#finish('client-gone');
  }

  /** The control plane gave the node up. A begun answer is left to its own time-outs. */
  nodeLost(): void {
    if (!this.#begun) this.#finish('node-lost');
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (!isSuccess(status)) return;
    const contentType = textOf(headers['content-type']).toLowerCase();
    if (contentType.startsWith('text/event-stream')) this.#watch = watchSse(this.#options.askedModel);
    else if (contentType.includes('ndjson')) this.#watch = watchNdjson(this.#options.askedModel);
  }

  onData(chunk: Buffer): void {
    this.#answering = true;
    if (this.#watch) return this.#relayFrames(this.#watch, this.#watch.push(chunk));
    this.#aliveAt = this.#options.clock.now();
    if (this.#begun) return this.#send(chunk);
    if (this.#status === null || !isSuccess(this.#status)) {
      if (this.#heldBytes < REFUSAL_BYTES) this.#hold(chunk);
      return;
    }
    this.#hold(chunk);
    if (this.#heldBytes > HELD_BYTES) {
      this.#begin(this.#headers['content-length']);
      this.#send(this.#takeHeld());
    }
  }

  onEnd(): void {
    if (this.#status === null || !isSuccess(this.#status)) return this.#finish('refused');
    if (this.#watch) return this.#endFrames(this.#watch);
    if (!this.#begun) {
      const answer = readWhole(this.#takeHeld(), this.#options.askedModel);
      // Inference answers are JSON objects; anything else is a captive portal, a proxy's error page or a broken engine.
      if (!answer.isObject) return this.#finish('garbage');
      if (answer.failed !== null) return this.#finish('server-error', answer.failed);
      this.#usage = answer.usage;
      this.#begin(String(answer.body.length));
      this.#send(answer.body);
    }
    this.#options.response.end();
    this.#finish('complete');
  }

  onError(error: ExchangeError): void {
    this.#finish(this.#begun ? 'broken' : error.failure);
  }

  #relayFrames(watch: AnswerWatch, out: Buffer | null): void {
    // Comments are a proxy's or an engine's way of keeping a connection open; only data is progress.
    if (watch.frames > this.#framesSeen) {
      this.#framesSeen = watch.frames;
      this.#aliveAt = this.#options.clock.now();
    }
    if (out) {
      if (this.#begun) this.#send(out);
      else this.#hold(out);
    }
    if (watch.tooLong) return this.#finish(this.#begun ? 'broken' : 'garbage');
    if (watch.failed !== null) return this.#finish(this.#begun ? 'broken' : 'server-error', watch.failed);
    if (!this.#begun && watch.frames > 0) {
      this.#begin(undefined);
      this.#send(this.#takeHeld());
    }
  }

  #endFrames(watch: AnswerWatch): void {
    const rest = watch.finish();
    this.#relayFrames(watch, rest);
    if (this.#over) return;
    if (!this.#begun) return this.#finish('garbage');
    // A chunked body's end is the node's word that it is over. Where only the closing of the socket ends the body, a killed
    // node looks the same, and only the stream's own end marker tells.
    const isFramed = this.#headers['transfer-encoding'] !== undefined || this.#headers['content-length'] !== undefined;
    if (!isFramed && !watch.ended) return this.#finish('broken');
    this.#options.response.end();
    this.#finish('complete');
  }

  #begin(contentLength: string | string[] | undefined): void {
    const { response, ownHeaders, clock } = this.#options;
    this.#begun = true;
    this.#firstByteAt = clock.now();
    const headers = [...ownHeaders()];
    for (const name of ['content-type', 'content-encoding', 'cache-control']) {
      const value = textOf(this.#headers[name]);
      if (value !== '') headers.push(name, value);
    }
    if (contentLength !== undefined) headers.push('content-length', textOf(contentLength));
    response.writeHead(this.#status ?? 200, headers);
  }

  #send(bytes: Buffer): void {
    this.#sentBytes += bytes.length;
    const { response, clock } = this.#options;
    if (response.write(bytes) || this.#paused) return;
    this.#paused = true;
    this.#exchange?.pause();
    response.once('drain', () => {
      this.#paused = false;
      this.#aliveAt = clock.now();
      if (!this.#over) this.#exchange?.resume();
    });
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #takeHeld(): Buffer {
    const held = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  /** One timer per attempt, set to the next moment at which a time-out could be due, instead of one per chunk. */
  #watchClock(): void {
    const { clock, timeouts } = this.#options;
    const now = clock.now();
    const dueAt = this.#answering ? this.#aliveAt + timeouts.betweenBytesMs : this.#startedAt + timeouts.firstByteMs;
    if (now < dueAt) {
      this.#stopTimer = clock.after(dueAt - now, () => this.#watchClock());
    } else if (this.#paused) {
      this.#options.response.destroy();
      this.#finish('client-gone');
    } else if (this.#begun) this.#finish('broken');
    else this.#finish(this.#answering ? 'stalled' : 'first-byte-timeout');
  }

  #finish(end: RelayEnd['end'], nodeMessage: string | null = null): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    if (end !== 'complete' && end !== 'refused') this.#exchange?.abort();
    this.#resolve({
      end,
      status: this.#status,
      refusal: end === 'refused' ? { status: this.#status ?? 0, headers: this.#headers, body: this.#takeHeld() } : null,
      begun: this.#begun,
      nodeMessage,
      usage: this.#watch ? this.#watch.usage() : this.#usage,
      firstByteAt: this.#firstByteAt,
      sentBytes: this.#sentBytes,
      isStream: this.#watch !== null,
    });
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function textOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(', ') : (header ?? '');
}
