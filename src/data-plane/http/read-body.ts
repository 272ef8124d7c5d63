import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../lib/clock.ts';

// Takes a client's body into memory, with its size and the time it may take enforced while it arrives.

export type ReadBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'too-slow' }
  | { readonly kind: 'gone' };

/** Reads the whole body: at most `limitBytes`, within `timeoutMs`. `signal` aborts when the client is gone. */
export function readBody(
  request: IncomingMessage,
  {
    limitBytes,
    timeoutMs,
    clock,
    signal,
  }: { limitBytes: number; timeoutMs: number; clock: Clock; signal: AbortSignal },
): Promise<ReadBody> {
  if (declaredLength(request) > limitBytes) return Promise.resolve({ kind: 'too-large' });
  if (signal.aborted) return Promise.resolve({ kind: 'gone' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (result: ReadBody): void => {
      stop();
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('error', onGone);
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
    const stop = clock.after(timeoutMs, () => finish({ kind: 'too-slow' }));
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onGone);
    signal.addEventListener('abort', onGone);
  });
}

/** The declared length in bytes; 0 where none is declared. Node has already refused malformed and conflicting ones. */
export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

const DRAIN_BYTES = 256 * 1024;
const DRAIN_MS = 1000;

/**
 * Lets the rest of a body that nobody will read run into nothing, at most 256 KB or 1 s of it, then closes the connection.
 * Without this a client that is still sending may see a reset instead of the answer.
 */
export function drainAndClose(request: IncomingMessage, clock: Clock): void {
  const { socket } = request;
  if (socket.destroyed) return;
  let bytes = 0;
  const close = (): void => {
    stop();
    request.off('data', onData);
    socket.destroySoon();
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > DRAIN_BYTES) close();
  };
  const stop = clock.after(DRAIN_MS, close);
  if (request.complete) return close();
  request.on('data', onData);
  request.once('end', close);
  request.once('close', stop);
  request.resume();
}
