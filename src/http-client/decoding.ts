import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Transform } from 'node:stream';
import { type Exchange, ExchangeError, type Receiver, type ResponseHeaders } from './exchange.ts';

// Undoes a content coding that a node applied although it was asked for none (`accept-encoding: identity`): what is inside must be
// read, to take addresses and model paths out. Behind it an answer looks as if it had come plain. This is the rare way, so it
// may use streams; answers without a coding never come here.

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** True where the answer's body must be decoded before it is received. */
export function isCoded(headers: ResponseHeaders): boolean {
  const coding = headers['content-encoding'];
  return coding !== undefined && coding !== '' && coding !== 'identity';
}

export class DecodingReceiver implements Receiver {
  readonly #receiver: Receiver;
  readonly #exchange: Exchange;
  #decoder: Transform | null = null;
  #isOver = false;

  /** Decodes for `receiver`; `exchange` is paused while the decoder is behind, and aborted where the coding is broken. */
  constructor(receiver: Receiver, exchange: Exchange) {
    this.#receiver = receiver;
    this.#exchange = exchange;
  }

  onHead(status: number, headers: ResponseHeaders): void {
    const coding = String(headers['content-encoding']).trim().toLowerCase();
    const create = decoders[coding];
    if (!create) return this.#fail(`an answer coded as ${coding}, which was not asked for`);
    this.#decoder = create()
      .on('data', (chunk: Buffer) => {
        if (!this.#isOver) this.#receiver.onData(chunk);
      })
      .on('drain', () => this.#exchange.resume())
      .on('error', (error) => this.#fail(error.message))
      .on('end', () => {
        if (this.#isOver) return;
        this.#isOver = true;
        this.#receiver.onEnd();
      });
    // Whatever the length on the wire was, it framed the body; the decoded body has another.
    const { 'content-encoding': _coding, 'content-length': length, ...others } = headers;
    this.#receiver.onHead(status, length === undefined ? others : { ...others, 'transfer-encoding': 'chunked' });
  }

  onData(chunk: Buffer): void {
    if (this.#decoder?.write(chunk) === false) this.#exchange.pause();
  }

  onEnd(): void {
    this.#decoder?.end();
  }

  onError(error: ExchangeError): void {
    this.stop();
    this.#receiver.onError(error);
  }

  pause(): void {
    this.#decoder?.pause();
  }

  resume(): void {
    this.#decoder?.resume();
  }

  /** Nothing more is received. */
  stop(): void {
    this.#isOver = true;
    this.#decoder?.destroy();
  }

  #fail(message: string): void {
    if (this.#isOver) return;
    this.stop();
    this.#exchange.abort();
    this.#receiver.onError(new ExchangeError('garbage', new Error(message)));
  }
}
