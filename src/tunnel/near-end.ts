import { connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { MOST_STREAMS, SESSION_WINDOW_BYTES, STREAM_WINDOW_BYTES, watchSession } from './live-session.ts';

// The router's end of a tunnel. The agent dialled the socket, and on it the roles are reversed: here is HTTP/2's client. Each connection
// that the router opens to the node is one CONNECT stream (RFC 9113, 8.5), whose bytes the agent passes on to its engine as they
// are. So pooling, time-outs, resets and TLS towards the engine are what they are for any node, and a slow reader holds back
// its own stream and no other.
//
// A connection that the router's side ends is cancelled, not half-closed: it only ever ends one when it wants no more of the answer.

export interface NearEnd {
  /** Takes a connection through the tunnel to the engine. */
  carry(local: Socket): void;
  /** Ends it; connections under way are reset. */
  close(): void;
}

export interface NearEndOptions {
  /** As the agent dialled it, after both sides agreed on a tunnel. */
  readonly socket: Duplex;
  readonly clock: Clock;
  /** Called once when the tunnel is gone. */
  readonly onEnd: () => void;
}

export function openNearEnd({ socket, clock, onEnd }: NearEndOptions): NearEnd {
  const session = connect('http://tunnel', {
    createConnection: () => socket,
    peerMaxConcurrentStreams: MOST_STREAMS,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
  });
  session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW_BYTES));
  // Why it ended matters to nobody; that it did is told by `close`.
  session.on('error', () => undefined);
  session.once('close', onEnd);
  watchSession(session, clock);
  // Sockets of an HTTP server stay half open when the other side ends them.
  socket.once('end', () => session.destroy());
  return {
    carry: (local) => {
      if (session.destroyed || session.closed) return void local.destroy();
      const stream = session.request({ ':method': 'CONNECT', ':authority': 'engine' });
      const cancel = (): void => stream.close(constants.NGHTTP2_CANCEL);
      local.once('end', cancel).once('close', cancel).on('error', cancel);
      stream.once('response', ({ ':status': status }) => {
        if (status !== 200) cancel();
      });
      stream.on('error', () => local.destroy());
      stream.once('close', () => local.destroySoon());
      local.pipe(stream);
      stream.pipe(local);
    },
    close: () => session.destroy(),
  };
}
