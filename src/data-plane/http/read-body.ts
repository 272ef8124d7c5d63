import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip as gunzipThen, type ZlibOptions } from 'node:zlib';
import type { Deadline, Deadlines } from '../../lib/deadlines.ts';
import type { Leaving } from '../leaving.ts';
import type { BodyReceiver, ClientRequest } from './client-request.ts';
import { codingOf } from './request-headers.ts';

// Takes a client's body into memory, with its size and the time it may take enforced while it arrives. A packed one is unpacked when it
// is whole, off this thread, and no further than to the limit: what arrives and what comes of it are each at most that large, so
// a body made to burst costs no more memory than two honest ones, and a little of another core's time.

const gunzip: (bytes: Buffer, options: ZlibOptions) => Promise<Buffer> = promisify(gunzipThen);

export type ReadBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'too-slow' }
  /** Its framing is broken: a chunk that is none. */
  | { readonly kind: 'malformed' }
  /** It was said to be gzip and is not, or not all of it. */
  | { readonly kind: 'not-gzip' }
  /** The client left, or the router gave the request up. */
  | { readonly kind: 'gone' };

export interface BodyLimits {
  readonly limitBytes: number;
  readonly timeoutMs: number;
  readonly deadlines: Deadlines;
  /** Ends the reading when the request is over for another reason. */
  readonly leaving: Leaving;
}

/** Reads the whole body, unpacked where it is gzip: at most `limitBytes`, received within `timeoutMs`. */
export function readBody(request: ClientRequest, limits: BodyLimits): Promise<ReadBody> {
  const received = receiveBody(request, limits);
  return codingOf(request) === 'gzip' ? received.then((body) => unpack(body, limits)) : received;
}

function receiveBody(request: ClientRequest, limits: BodyLimits): Promise<ReadBody> {
  if (declaredLength(request) > limits.limitBytes) return Promise.resolve({ kind: 'too-large' });
  if (limits.leaving.hasLeft) return Promise.resolve({ kind: 'gone' });
  return new Promise((resolve) => {
    request.takeBody(new BodyReading(request, limits, resolve));
  });
}

async function unpack(body: ReadBody, { limitBytes, leaving }: BodyLimits): Promise<ReadBody> {
  if (body.kind !== 'whole') return body;
  try {
    const bytes = await gunzip(body.bytes, { maxOutputLength: limitBytes });
    return leaving.hasLeft ? { kind: 'gone' } : { kind: 'whole', bytes };
  } catch (error) {
    const isOver = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return { kind: isOver ? 'too-large' : 'not-gzip' };
  }
}

class BodyReading implements BodyReceiver {
  readonly #request: ClientRequest;
  readonly #limits: BodyLimits;
  readonly #resolve: (result: ReadBody) => void;
  readonly #deadline: Deadline;
  #first: Buffer | null = null;
  /** What came after the first chunk. */
  #rest: Buffer[] | null = null;
  #bytes = 0;

  constructor(request: ClientRequest, limits: BodyLimits, resolve: (result: ReadBody) => void) {
    this.#request = request;
    this.#limits = limits;
    this.#resolve = resolve;
    this.#deadline = limits.deadlines.set(limits.timeoutMs, () => this.#finish({ kind: 'too-slow' }));
    limits.leaving.tell(() => this.#finish({ kind: 'gone' }));
  }

  onChunk(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.limitBytes) this.#finish({ kind: 'too-large' });
    else if (this.#first === null) this.#first = chunk;
    else (this.#rest ??= []).push(chunk);
  }

  onEnd(): void {
    const first = this.#first ?? Buffer.alloc(0);
    this.#finish({ kind: 'whole', bytes: this.#rest ? Buffer.concat([first, ...this.#rest], this.#bytes) : first });
  }

  onError(error: Error): void {
    this.#finish({ kind: isMalformed(error) ? 'malformed' : 'gone' });
  }

  #finish(result: ReadBody): void {
    this.#deadline.cancel();
    this.#request.releaseBody();
    this.#limits.leaving.tell(null);
    this.#resolve(result);
  }
}

/** The declared length in bytes; 0 where none is declared. Node has already refused malformed and conflicting ones. */
export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

/** True while a declared body has not arrived whole. */
export function isBodyUnread(request: IncomingMessage): boolean {
  const isDeclared = request.headers['transfer-encoding'] !== undefined || declaredLength(request) > 0;
  return isDeclared && !request.complete;
}

/** True for an error of Node's HTTP parser, other than that the client left before the end. */
export function isMalformed({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE';
}
