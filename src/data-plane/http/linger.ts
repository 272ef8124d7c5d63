import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';

// What happens to a connection whose client was answered before it had sent its whole body (RFC 9112, section 9.6). Closed at
// once, it would be reset under the client's writes, and a reset throws away what the client has received and not read yet: the
// answer. So little that is left of the body is read into nothing and the connection then closed in the usual way. Of more,
// reading stops, which holds the client's writes back, and only our half is closed, so that even a client that reads to the end
// sees one. A client that has not looked at its answer by the time the second is over loses it.

const LINGER_BYTES = 256 * 1024;
const LINGER_MS = 1000;

/** Ends an answer whose every byte was written, and closes its connection, after at most 256 KB and 1 s of what still comes in. */
export function endUnread(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  const { socket } = request;
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= LINGER_BYTES) return;
    request.off('data', onData);
    request.pause();
    socket.end();
  };
  const onEnd = (): void => void response.end();
  const begin = (): void => {
    if (request.complete) return onEnd();
    const stop = clock.after(LINGER_MS, () => socket.destroy());
    response.once('close', stop);
    request.on('data', onData);
    request.once('end', onEnd);
    request.resume();
  };
  // Behind another answer of the same connection this one has to wait for its turn, and that one must not be cut.
  if (response.socket) begin();
  else response.once('socket', begin);
}
