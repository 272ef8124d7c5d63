import type { Exchange, ExchangeError, Receiver, ResponseHeaders } from '../../http-client/exchange.ts';
import type { Usage } from '../../fleet/settlement.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Deadline, Deadlines } from '../../lib/deadlines.ts';
import { addCrossingHeaders, textOf } from './answer-head.ts';
import { type AnswerWatch, MAX_FRAME_BYTES } from './answer-watch.ts';
import { skipSpace } from './json-fields.ts';
import { LikeLast } from './like-last.ts';
import { watchLongBody } from './long-body.ts';
import { watchNdjson } from './ndjson.ts';
import type { Outlet, Paced } from './outlet.ts';
import { isPassing, watchRaw } from './raw.ts';
import type { RelayEnd } from './relay-end.ts';
import { watchSse } from './sse.ts';
import type { Transcript } from './transcript.ts';
import { type Telling, tellWhole, watchTranslated } from './translated-watch.ts';
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
/** A whole answer cannot be told in another dialect before its end. */
const TRANSLATED_BYTES = 32 * 1024 * 1024;

export interface RelayTimeouts {
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
}

export interface RelayOptions {
  readonly outlet: Outlet;
  readonly askedModel: string;
  /** The answer may be no JSON: it then passes unread. */
  readonly mayPass: boolean;
  /** How the answer is told where the client speaks another dialect than the node; null where it passes. */
  readonly telling: Telling | null;
  /** What a stream says is written down here; null where nobody will ask. */
  readonly transcript: Transcript | null;
  readonly timeouts: RelayTimeouts;
  /** When the request's body last moved, in monotonic ms: until all of it is there no answer is due. Null where it was sent whole. */
  readonly sentAt: (() => number) | null;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Told when the answer begins: from then on it is this node's. Gives the router's own headers, to be added to: name, value, … */
  readonly begin: () => string[];
}

export class AnswerRelay implements Receiver, Paced {
  /** Resolves once, when the exchange has ended or its socket is destroyed. Never rejects. */
  readonly ended: Promise<RelayEnd>;
  readonly #options: RelayOptions;
  readonly #resolve: (end: RelayEnd) => void;
  readonly #startedAt: number;
  readonly #outlet: Outlet;
  #exchange: Exchange | null = null;
  #status: number | null = null;
  #headers: ResponseHeaders = {};
  #isStream = false;
  #watch: AnswerWatch | null = null;
  #framesSeen = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #usage: Usage | null = null;
  /** Monotonic ms of the node's last progress, or of the client's where the node was waiting for it; null before the first. */
  #aliveAt: number | null = null;
  #over = false;
  #deadline: Deadline | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#outlet = options.outlet;
    this.#outlet.paced = this;
    const { promise, resolve } = Promise.withResolvers<RelayEnd>();
    this.ended = promise;
    this.#resolve = resolve;
  }

  /** Starts the clocks; called once, right after the exchange was started. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#over) exchange.abort();
    else this.#deadline = this.#options.deadlines.set(this.#options.timeouts.firstByteMs, this.#watchClock);
  }

  stuck(): void {
    this.#exchange?.pause();
  }

  taken(): void {
    this.#aliveAt = this.#options.clock.now();
    if (!this.#over) this.#exchange?.resume();
  }

  /** The client is gone: the node is told by closing its socket. */
  clientGone(): void {
    this.#finish('client-gone');
  }

  /** The control plane gave the node up. A begun answer is left to its own time-outs. */
  nodeLost(): void {
    if (!this.#outlet.hasBegun) this.#finish('node-lost');
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (!isSuccess(status)) return;
    const contentType = textOf(headers['content-type']).toLowerCase();
    const { askedModel, transcript } = this.#options;
    if (contentType.startsWith('text/event-stream')) {
      this.#watch = watchSse(askedModel, MAX_FRAME_BYTES, new LikeLast(), transcript);
    } else if (contentType.includes('ndjson')) this.#watch = watchNdjson(askedModel);
    this.#isStream = this.#watch !== null;
    const { telling } = this.#options;
    if (telling && this.#watch) this.#watch = watchTranslated(this.#watch, telling);
    if (this.#options.mayPass && isPassing(contentType)) this.#watch = watchRaw(this.#isFramed());
  }

  onData(chunk: Buffer): void {
    if (this.#watch) return this.#relayFrames(this.#watch, this.#watch.push(chunk));
    this.#progress();
    this.#hold(chunk);
    if (this.#status === null || !isSuccess(this.#status)) {
      // A refusal is judged by its status; nobody needs the rest of a long one.
      if (this.#heldBytes > REFUSAL_BYTES) this.#finish('refused');
    } else if (this.#options.telling) {
      if (this.#heldBytes > TRANSLATED_BYTES) this.#finish('garbage');
    } else if (this.#heldBytes > HELD_BYTES) {
      const held = this.#takeHeld();
      if (!opensObject(held)) return this.#finish('garbage');
      this.#watch = watchLongBody(this.#options.askedModel);
      this.#relayFrames(this.#watch, this.#watch.push(held));
    }
  }

  onEnd(): void {
    if (this.#status === null || !isSuccess(this.#status)) return this.#finish('refused');
    if (this.#watch) return this.#endFrames(this.#watch);
    const answer = readWhole(this.#takeHeld(), this.#options.askedModel);
    // Inference answers are JSON objects; anything else is a captive portal, a proxy's error page or a broken engine.
    if (!answer.isObject) return this.#finish('garbage');
    if (answer.failed !== null) return this.#finish('server-error', answer.failed);
    this.#usage = answer.usage;
    const { telling } = this.#options;
    const body = telling ? tellWhole(answer.body, telling) : answer.body;
    // Where a stream was opened while its client waited, a whole answer cannot be told any more.
    if (body === null || this.#outlet.isOpen) return this.#finish('garbage');
    this.#outlet.send(this.#status, this.#answerHead(), body);
    this.#finish('complete');
  }

  onError(error: ExchangeError): void {
    if (this.#watch?.isMarked && this.#outlet.hasBegun) {
      this.#outlet.end();
      return this.#finish('complete');
    }
    this.#finish(this.#outlet.hasBegun ? 'broken' : error.failure);
  }

  #relayFrames(watch: AnswerWatch, out: Buffer | null): void {
    // Comments are a proxy's or an engine's way of keeping a connection open; only data is progress.
    if (watch.frames > this.#framesSeen) {
      this.#framesSeen = watch.frames;
      this.#progress();
    }
    const { hasBegun } = this.#outlet;
    if (out && hasBegun) this.#outlet.write(out);
    else if (out) this.#hold(out);
    if (watch.tooLong) return this.#finish(hasBegun ? 'broken' : 'garbage');
    if (watch.failed !== null) return this.#finish(hasBegun ? 'broken' : 'server-error', watch.failed);
    if (!hasBegun && watch.frames > 0) {
      this.#outlet.begin(this.#status ?? 200, this.#answerHead());
      this.#outlet.write(this.#takeHeld());
    }
  }

  #endFrames(watch: AnswerWatch): void {
    this.#relayFrames(watch, watch.finish());
    if (this.#over) return;
    if (!this.#outlet.hasBegun) return this.#finish('garbage');
    // A chunked body's end is the node's word that it is over. Where only the closing of the socket ends the body, a killed
    // node looks the same, and only the stream's own end marker tells; so it does where every engine writes one, and where the
    // router would else tell an end in its own words that the node did not. An object must have closed.
    const saysItsEnd = this.#options.telling !== null || textOf(this.#headers['content-type']).includes('ndjson');
    const mayEndUnsaid = this.#isStream && !saysItsEnd && this.#isFramed();
    if (!watch.ended && !mayEndUnsaid) return this.#finish('broken');
    this.#outlet.end();
    this.#finish('complete');
  }

  #isFramed(): boolean {
    return this.#headers['transfer-encoding'] !== undefined || this.#headers['content-length'] !== undefined;
  }

  #answerHead(): string[] {
    const headers = this.#options.begin();
    const { telling } = this.#options;
    if (telling) headers.push('content-type', this.#isStream ? telling.form.streamContentType : 'application/json');
    else addCrossingHeaders(this.#headers, headers);
    return headers;
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #takeHeld(): Buffer {
    const [only] = this.#held;
    const held = only && this.#held.length === 1 ? only : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  #progress(): void {
    const isFirst = this.#aliveAt === null;
    this.#aliveAt = this.#options.clock.now();
    if (!isFirst || this.#over) return;
    // From now on another limit holds, which may end sooner than the one the timer is set to.
    this.#deadline?.cancel();
    const { deadlines, timeouts } = this.#options;
    this.#deadline = deadlines.set(timeouts.betweenBytesMs, this.#watchClock);
  }

  /** One timer per attempt, set to the next moment at which a time-out could be due, instead of one per chunk. */
  readonly #watchClock = (): void => {
    const { clock, deadlines, timeouts, sentAt } = this.#options;
    const { stuckSince, hasBegun, waitsForTurn } = this.#outlet;
    const now = clock.now();
    // What holds it up is an answer before it, which has limits of its own.
    if (hasBegun && waitsForTurn) this.#aliveAt = now;
    const waitedSince = stuckSince ?? this.#aliveAt;
    const askedAt = sentAt?.() ?? this.#startedAt;
    const dueAt = waitedSince === null ? askedAt + timeouts.firstByteMs : waitedSince + timeouts.betweenBytesMs;
    if (now < dueAt) {
      this.#deadline = deadlines.setOnce(dueAt - now, this.#watchClock);
    } else if (stuckSince !== null) {
      this.#outlet.cut();
      this.#finish('client-gone');
    } else if (hasBegun) this.#finish('broken');
    else this.#finish(this.#aliveAt === null ? 'first-byte-timeout' : 'stalled');
  };

  #finish(end: RelayEnd['end'], nodeMessage: string | null = null): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.cancel();
    this.#outlet.paced = null;
    // Does nothing where the exchange is over.
    this.#exchange?.abort();
    this.#resolve({
      end,
      status: this.#status,
      refusal: end === 'refused' ? { status: this.#status ?? 0, headers: this.#headers, body: this.#takeHeld() } : null,
      nodeMessage,
      usage: this.#watch ? this.#watch.usage() : this.#usage,
      isStream: this.#isStream,
    });
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function opensObject(bytes: Buffer): boolean {
  return bytes[skipSpace(bytes, 0, bytes.length)] === 0x7b;
}
