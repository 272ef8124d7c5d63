import type { Http2Session } from 'node:http2';
import type { Clock } from '../lib/clock.ts';

// What both ends of a tunnel agree on. The windows are a compromise: a stream may have this much on its way, which a long answer needs
// over a slow line, and a client that does not read holds no more than this of the router's memory. Pings find a line that is
// dead without a word, which is how network address translation forgets a quiet connection; they also keep it from being quiet.

export const STREAM_WINDOW_BYTES = 1024 * 1024;
export const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Connections at the same time: as many as a node's slots and idle connections could ever be. */
export const MOST_STREAMS = 4096;
const PING_EVERY_MS = 10_000;

/** Ends a session whose other side does not answer from one ping to the next. */
export function watchSession(session: Http2Session, clock: Clock): void {
  let isAnswered = true;
  const ping = (): void => {
    if (session.destroyed) return;
    if (!isAnswered) {
      session.destroy();
      return;
    }
    isAnswered = false;
    if (!session.closed) session.ping(() => (isAnswered = true));
    cancel = clock.after(PING_EVERY_MS, ping);
  };
  let cancel = clock.after(PING_EVERY_MS, ping);
  session.once('close', () => cancel());
}
