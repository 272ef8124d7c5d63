import type { ResponseHeaders } from '../../src/http-client/exchange.ts';
import { AnswerReader } from '../../src/http-client/wire/answer-reader.ts';

// Feeds an answer to a reader in given pieces, as a connection would.

export interface ReadAnswer {
  /** `closed`: complete because the node closed its side after it; `torn`: not complete by then. */
  readonly end: 'done' | 'closed' | 'garbage' | 'torn';
  readonly fault: string;
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: string;
  /** One per call of `onData`. */
  readonly chunks: readonly string[];
  readonly keepsAlive: boolean;
}

export interface ReadOptions {
  /** The request was a HEAD. */
  readonly isHead?: boolean;
  /** The buffer is overwritten after each read. */
  readonly isLent?: boolean;
  /** Default a new one. */
  readonly reader?: AnswerReader;
}

/** Reads the pieces (latin1) and then the node's closing. */
export function readAnswer(pieces: readonly string[], options: ReadOptions = {}): ReadAnswer {
  const { isHead = false, isLent = false, reader = new AnswerReader() } = options;
  let status = 0;
  let headers: ResponseHeaders = {};
  const kept: Buffer[] = [];
  const sink = {
    isOver: false,
    onHead: (code: number, received: ResponseHeaders): void => {
      status = code;
      headers = received;
    },
    onData: (chunk: Buffer): void => void kept.push(chunk),
  };
  reader.begin(isHead);
  let end: ReadAnswer['end'] | null = null;
  for (const piece of pieces) {
    if (piece === '') continue;
    const bytes = Buffer.from(piece, 'latin1');
    const reading = reader.read(bytes, bytes.length, isLent, sink);
    if (isLent) bytes.fill(0x23);
    if (reading === 'done' || reading === 'garbage') {
      end = reading;
      break;
    }
  }
  end ??= reader.closes() ? 'closed' : 'torn';
  const chunks = kept.map((chunk) => chunk.toString('latin1'));
  const { fault, keepsAlive } = reader;
  return { end, fault, status, headers, body: chunks.join(''), chunks, keepsAlive };
}
