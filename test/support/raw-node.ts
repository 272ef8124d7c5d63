import { createServer, type Socket } from 'node:net';

// A node that speaks raw bytes: for answers that no HTTP library would send. For well-formed ones use scripted-node.ts.

export interface RawConnection {
  readonly socket: Socket;
  /** All bytes received on it, as latin1. */
  readonly received: () => string;
}

export interface RawNode extends AsyncDisposable {
  readonly url: string;
  /** Every connection that was made, oldest first. */
  readonly connections: readonly RawConnection[];
  /** Connections that are still there. */
  open(): number;
}

/** Starts a node on 127.0.0.1. `onRead` is called with each piece received, the connection, and how many were made before it. */
export async function rawNode(
  onRead: (piece: string, connection: RawConnection, nth: number) => void,
): Promise<RawNode> {
  const connections: RawConnection[] = [];
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    let received = '';
    const connection = { socket, received: () => received };
    const nth = connections.push(connection) - 1;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      const piece = bytes.toString('latin1');
      received += piece;
      onRead(piece, connection, nth);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a raw node listens on a TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    connections,
    open: () => open.size,
    [Symbol.asyncDispose]: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
