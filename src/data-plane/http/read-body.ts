import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../lib/clock.ts';

// Takes a client's body into memory, with its size and the time it may take enforced while it arrives, and gives up on it when
// the router stops. That is looked at now and then rather than told: nearly every body is there before the first look, and a
// listener for each of them would cost more.

const LOOK_EVERY_MS = 250;

export type ReadBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'too-slow' }
  /** Its framing is broken: a chunk that is none. */
  | { readonly kind: 'malformed' }
  /** The router stops and waits for no more of it. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'gone' };

/** Reads the whole body: at most `limitBytes`, within `timeoutMs`, while not `isStopping`. `signal` aborts when the client is gone. */
export function readBody(
  request: IncomingMessage,
  {
    limitBytes,
    timeoutMs,
    clock,
    signal,
    isStopping,
  }: { limitBytes: number; timeoutMs: number; clock: Clock; signal: AbortSignal; isStopping: () => boolean },
): Promise<ReadBody> {
  if (declaredLength(request) > limitBytes) return Promise.resolve({ kind: 'too-large' });
  if (signal.aborted) return Promise.resolve({ kind: 'gone' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const lateAt = clock.now() + timeoutMs;
    const look = (): void => {
      const leftMs = lateAt - clock.now();
      if (isStopping()) finish({ kind: 'stopped' });
      else if (leftMs <= 0) finish({ kind: 'too-slow' });
      else stop = clock.after(Math.min(LOOK_EVERY_MS, leftMs), look);
    };
    let stop = clock.after(Math.min(LOOK_EVERY_MS, timeoutMs), look);
    const finish = (result: ReadBody): void => {
      stop();
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('error', onError);
      signal.removeEventListener('abort', onGone);
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
    const onGone = (): void => finish({ kind: 'gone' });
    const onError = (error: Error): void => finish({ kind: isMalformed(error) ? 'malformed' : 'gone' });
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onError);
    signal.addEventListener('abort', onGone);
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
