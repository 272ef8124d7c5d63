import type { ResponseHeaders } from '../exchange.ts';
import { fieldName, readFields } from './fields.ts';

// What a node's answer is, by its head alone: where the body ends and whether the socket may be used again (RFC 9112, 6.3
// and 9.3). Where the RFC lets a recipient choose, the strict reading is taken: an answer whose length can be read in two
// ways is no answer. Where the message is clear but its sender is sloppy, it is read and the connection closed.

/** The body's length in bytes, or how its end is found. */
export type Framing = number | 'chunked' | 'until-close';

export interface AnswerHead {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly framing: Framing;
  /** May another request follow on this connection? */
  readonly keepsAlive: boolean;
  /** How long the node says that it keeps an idle connection, in ms; Infinity where it says nothing. */
  readonly keepAliveMs: number;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\r]*)?\r\n/;
const LENGTH = /^\d{1,15}$/;
const KEEP_ALIVE_TIMEOUT = /(?:^|[\s,;])timeout\s*=\s*"?(\d{1,9})/i;

/** Reads a head whose bytes `HeadBytes` has passed; a string says why it is none. `isBodiless`: it answers a HEAD request. */
export function readAnswerHead(text: string, isBodiless: boolean): AnswerHead | string {
  const line = STATUS_LINE.exec(text);
  if (!line) return 'what came is no HTTP/1 answer';
  const isHttp10 = line[1] === '0';
  const status = Number(line[2]);
  const headers = readFields(text, line[0].length);
  if (typeof headers === 'string') return headers;

  const coding = headers['transfer-encoding'];
  const lengths = headers['content-length'];
  const hasNoBody = isBodiless || status === 204 || status === 304 || status < 200;
  let keepsAlive = keepsConnection(headers['connection'], isHttp10);
  let framing: Framing = 'until-close';
  if (coding !== undefined) {
    // Several codings, `identity` and the rest: nothing here undoes them, and an HTTP/1.0 sender cannot mean them (6.1).
    if (typeof coding !== 'string' || coding.toLowerCase() !== 'chunked') return 'an unknown transfer-encoding';
    if (lengths !== undefined) return 'both a transfer-encoding and a content-length';
    if (isHttp10) return 'a transfer-encoding in HTTP/1.0';
    framing = 'chunked';
  } else if (lengths !== undefined) {
    const length = readLength(lengths);
    if (length === null) return 'a content-length that is no length';
    // One length said twice is read as one (6.3); who says so may be joining two messages.
    if (typeof lengths !== 'string' || lengths.includes(',')) {
      headers['content-length'] = String(length);
      keepsAlive = false;
    }
    framing = length;
  }
  if (status < 200 && framing !== 'until-close') return 'an interim answer with a body';
  if (status === 204 && framing !== 'until-close' && framing !== 0) keepsAlive = false;
  if (hasNoBody) framing = 0;
  else if (framing === 'until-close') keepsAlive = false;
  return { status, headers, framing, keepsAlive, keepAliveMs: keepsAlive ? keepAliveMs(headers['keep-alive']) : 0 };
}

function readLength(value: string | string[]): number | null {
  if (typeof value === 'string' && LENGTH.test(value)) return Number(value);
  const all = (typeof value === 'string' ? value : value.join(',')).split(',').map((one) => one.trim());
  const [first = ''] = all;
  return LENGTH.test(first) && all.every((one) => one === first) ? Number(first) : null;
}

function keepsConnection(value: string | string[] | undefined, isHttp10: boolean): boolean {
  if (value === undefined) return !isHttp10;
  if (value === 'keep-alive') return true;
  const options = new Set((typeof value === 'string' ? value : value.join(',')).split(',').map(fieldName));
  return !options.has('close') && (!isHttp10 || options.has('keep-alive'));
}

function keepAliveMs(value: string | string[] | undefined): number {
  if (value === undefined) return Infinity;
  const seconds = KEEP_ALIVE_TIMEOUT.exec(typeof value === 'string' ? value : value.join(','))?.[1];
  return seconds === undefined ? Infinity : Number(seconds) * 1000;
}
