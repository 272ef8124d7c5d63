import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { ExchangeError } from '../exchange.ts';
import { establishedError } from '../failures.ts';
import { AnswerReader, type AnswerSink } from './answer-reader.ts';
import { BodySending } from './body-sending.ts';
import type { Dialler } from './dialler.ts';
import type { RequestBytes } from './request-head.ts';

// One socket to a node, for one exchange at a time (no pipelining). Whatever is doubtful ends it: bytes that nobody asked for, an
// answer before its request was sent whole, an answer with something behind it.
//
// It does not protect against a node that closes its side without TLS's own goodbye to cut short a body that only closing ends:
// RFC 9112, 9.8 would call that incomplete, but Node does not tell the two ends apart.

/** The exchange on a connection. Exactly one of `onComplete` and `onFailure` ends it, unless it leaves. */
export interface ConnectionUser extends AnswerSink {
  /** `isReusable`: another exchange may follow. */
  onComplete(isReusable: boolean): void;
  /** `hadAnswer`: some byte of the answer had come. */
  onFailure(error: ExchangeError, hadAnswer: boolean): void;
}

export class Connection {
  /** Exchanges completed on it. */
  uses = 0;
  /** Monotonic ms; kept by the pool. */
  idleSince = 0;
  /** Its place among the busy ones; kept by the pool. */
  place = -1;
  readonly #socket: Socket | null;
  readonly #reader = new AnswerReader();
  readonly #onIdleEnd: (connection: Connection, wasClosed: boolean) => void;
  #user: ConnectionUser | null = null;
  /** What is to be sent once the connection is there. */
  #unsent: RequestBytes | null = null;
  /** Of a request whose body comes piece by piece. */
  #sending: BodySending | null = null;
  #isReady = false;
  #isPaused = false;
  #hadAnswer = false;
  /** Set while it connects. */
  #stopTimer: (() => void) | null = null;

  /** Connects within `connectMs`. `onIdleEnd` tells of an end while nothing was under way: closed by the node, or for what it said. */
  constructor(
    dialler: Dialler,
    connectMs: number,
    clock: Clock,
    onIdleEnd: (connection: Connection, wasClosed: boolean) => void,
  ) {
    this.#onIdleEnd = onIdleEnd;
    let socket: Socket | null = null;
    try {
      socket = dialler.dial(
        (bytes, to, isLent) => this.#read(bytes, to, isLent),
        () => this.#ready(),
      );
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      queueMicrotask(() => this.#fail(new ExchangeError('connect-failed', cause)));
    }
    this.#socket = socket;
    if (!socket) return;
    this.#stopTimer = clock.after(connectMs, () => {
      this.#fail(new ExchangeError('connect-failed', new Error(`no connection within ${connectMs} ms`)));
    });
    socket.on('error', (error: Error) => {
      this.#fail(this.#isReady ? establishedError(error) : new ExchangeError('connect-failed', error));
    });
    socket.on('end', () => this.#nodeCloses());
    socket.on('close', () => this.#nodeCloses());
  }

  /** For how many ms the node keeps it when idle, by its last answer; Infinity where it does not say. */
  get keepAliveMs(): number {
    return this.#reader.keepAliveMs;
  }

  get isDestroyed(): boolean {
    return this.#socket?.destroyed ?? true;
  }

  send(user: ConnectionUser, request: RequestBytes, isBodiless: boolean): void {
    this.#user = user;
    this.#hadAnswer = false;
    this.#reader.begin(isBodiless);
    if (this.#isReady) this.#write(request);
    else this.#unsent = request;
  }

  pause(): void {
    this.#isPaused = true;
    // Before that a pause would keep TLS's own answers from being read.
    if (this.#isReady) this.#socket?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isReady) this.#socket?.resume();
  }

  /** The rest of a body that is on its way need not be sent: the node has decided without it (RFC 9112, 9.5). */
  stopSending(): void {
    this.#sending?.stop();
  }

  /** Closes at once, telling nobody. */
  destroy(): void {
    this.stopSending();
    this.#user = null;
    this.#unsent = null;
    this.#stopTimer?.();
    this.#socket?.destroy();
  }

  /** Closes at once, telling the exchange under way that it was reset. */
  fail(cause: Error): void {
    this.#fail(new ExchangeError('reset', cause));
  }

  #ready(): void {
    this.#isReady = true;
    this.#stopTimer?.();
    this.#stopTimer = null;
    if (this.#isPaused) this.#socket?.pause();
    const request = this.#unsent;
    this.#unsent = null;
    if (request) this.#write(request);
  }

  #write({ first, rest, paced }: RequestBytes): void {
    const socket = this.#socket;
    if (!socket) return;
    if (rest === null) {
      socket.write(first);
      if (paced === null) return;
      this.#sending = new BodySending(socket, paced, (error) => this.fail(error));
      return this.#sending.begin();
    }
    socket.cork();
    socket.write(first);
    socket.write(rest);
    socket.uncork();
  }

  #read(bytes: Buffer, to: number, isLent: boolean): void {
    const user = this.#user;
    if (!user) return this.#endIdle(false);
    this.#hadAnswer = true;
    switch (this.#reader.read(bytes, to, isLent, user)) {
      case 'more':
      case 'left':
        return;
      case 'done':
        return this.#complete(user);
      case 'garbage':
        this.#fail(new ExchangeError('garbage', new Error(this.#reader.fault)));
    }
  }

  #complete(user: ConnectionUser): void {
    this.#user = null;
    const socket = this.#socket;
    const isSent =
      socket !== null && socket.writable && socket.writableLength === 0 && this.#sending?.isWhole !== false;
    const isReusable = this.#reader.keepsAlive && isSent;
    this.stopSending();
    this.#sending = null;
    // Only a connection that reads can see its node close it.
    if (isReusable && this.#isPaused) this.resume();
    user.onComplete(isReusable);
  }

  #nodeCloses(): void {
    const user = this.#user;
    if (!user) return this.#endIdle(true);
    if (this.#reader.closes()) return this.#complete(user);
    const when = this.#hadAnswer ? 'within its answer' : 'before its answer';
    this.#fail(new ExchangeError('reset', new Error(`the node closed the connection ${when}`)));
  }

  #fail(error: ExchangeError): void {
    const user = this.#user;
    const wasReady = this.#isReady;
    this.destroy();
    if (user) user.onFailure(error, this.#hadAnswer);
    else if (wasReady) this.#onIdleEnd(this, true);
  }

  #endIdle(wasClosed: boolean): void {
    this.destroy();
    this.#onIdleEnd(this, wasClosed);
  }
}
