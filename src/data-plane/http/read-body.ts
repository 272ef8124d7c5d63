import type { IncomingMessage } from 'node:http';
import type { Deadlines } from '../../lib/deadlines.ts';
import type { Leaving } from '../leaving.ts';

// Takes a client's body into memory, with its size and the time it may take enforced while it arrives.

export type ReadBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'too-slow' }
  /** Its framing is broken: a chunk that is none. */
  | { readonly kind: 'malformed' }
  /** The client left, or the router gave the request up. */
  | { readonly kind: 'gone' };

export interface BodyLimits {
  readonly limitBytes: number;
  readonly timeoutMs: number;
  readonly deadlines: Deadlines;
  /** Ends the reading when the request is over for another reason. */
  readonly leaving: Leaving;
}

/** Reads the whole body: at most `limitBytes`, within `timeoutMs`. */
export function readBody(
  request: IncomingMessage,
  { limitBytes, timeoutMs, deadlines, leaving }: BodyLimits,
): Promise<ReadBody> {
  if (declaredLength(request) > limitBytes) return Promise.resolve({ kind: 'too-large' });
  if (leaving.hasLeft) return Promise.resolve({ kind: 'gone' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (result: ReadBody): void => {
      deadline.cancel();
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('error', onError);
      leaving.tell(null);
      resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limitBytes) finish({ kind: 'too-large' });
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      const [only] = chunks;
      finish({ kind: 'whole', bytes: chunks.length === 1 && only ? only : Buffer.concat(chunks, bytes) });
    };
    const deadline = deadlines.set(timeoutMs, () => finish({ kind: 'too-slow' }));
    const onError = (error: Error): void => finish({ kind: isMalformed(error) ? 'malformed' : 'gone' });
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onError);
    leaving.tell(() => finish({ kind: 'gone' }));
  });
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
