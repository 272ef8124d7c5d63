import { isOwnHeader } from '../../fleet/own-headers.ts';
import type { ExchangeRequest, PacedBody } from '../exchange.ts';

// The bytes of a request. What could end a line early would let a value write headers or a second request of its own, so every
// part is checked against its grammar (RFC 9110, 5.1 and 5.5; RFC 9112, 3.2), and the fields that frame the message are ours alone.

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/;

/** Names that almost every request carries, which need no look. */
const usual: ReadonlySet<string> = new Set([
  'content-type',
  'accept-encoding',
  'x-request-id',
  'accept',
  'traceparent',
  'authorization',
]);

/** Bodies up to this size are copied behind their head, into a pooled Buffer, and one plain write carries both. Longer ones are
 * gathered by the system: with 20 KB that costs a quarter less CPU than the copy and the Buffer for it. */
const COPIED_BYTES = 3 * 1024;

export interface RequestBytes {
  /** The head, and the body where it was short. */
  readonly first: Buffer;
  /** The body where it was long. */
  readonly rest: Buffer | null;
  /** The body where it is still to come. */
  readonly paced: PacedBody | null;
}

/** The request on the wire for a node called `host`, or a sentence that says why it cannot be sent. */
export function requestBytes(request: ExchangeRequest, host: string): RequestBytes | string {
  const { method, path, headers, body } = request;
  if (!PATH.test(path)) return 'the path holds a character that no request line may; escape it';
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    const value = headers[at + 1] ?? '';
    if (!usual.has(name)) {
      if (!TOKEN.test(name)) return `${JSON.stringify(name)} is no header name`;
      if (isOwnHeader(name)) return `the header ${name} is the connection's own; leave it out`;
    }
    if (!VALUE.test(value)) return `the value of the header ${name} holds a character that none may`;
    head += `${name}: ${value}\r\n`;
  }
  if (body !== null && 'pour' in body) {
    head += body.bytes === null ? 'transfer-encoding: chunked\r\n\r\n' : `content-length: ${body.bytes}\r\n\r\n`;
    return { first: Buffer.from(head, 'latin1'), rest: null, paced: body };
  }
  if (body !== null) head += `content-length: ${body.length}\r\n\r\n`;
  else if (method === 'POST' || method === 'PUT') head += 'content-length: 0\r\n\r\n';
  else head += '\r\n';
  if (body === null || body.length > COPIED_BYTES) {
    return { first: Buffer.from(head, 'latin1'), rest: body, paced: null };
  }
  const first = Buffer.allocUnsafe(head.length + body.length);
  first.write(head, 0, 'latin1');
  first.set(body, head.length);
  return { first, rest: null, paced: null };
}
