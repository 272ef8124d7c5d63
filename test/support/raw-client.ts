import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

// A client that writes what a test says, byte by byte where it must, and keeps every byte it is answered: for what no HTTP
// library would send, and for seeing exactly what arrives.

export interface RawAnswer {
  readonly status: number;
  /** In lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** As on the wire: chunked framing is left in. */
  readonly body: string;
}

export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** All bytes received, as latin1. */
  received(): string;
  isClosed(): boolean;
  send(bytes: string | Buffer): void;
  /** Resolves when `text` has been received. */
  sees(text: string | RegExp): Promise<void>;
  closed(): Promise<void>;
}

export function rawClient(url: string): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.on('close', () => {
    isClosed = true;
  });
  const state = (): string => `it received ${JSON.stringify(received.slice(-400))}, closed: ${isClosed}`;
  return {
    socket,
    received: () => received,
    isClosed: () => isClosed,
    send: (bytes) => void socket.write(bytes),
    sees: async (text) => {
      const isSeen = (): boolean => (typeof text === 'string' ? received.includes(text) : text.test(received));
      await until(isSeen, { what: () => `the client to see ${String(text)}; ${state()}` });
    },
    closed: async () => {
      await until(() => isClosed, { what: () => `the connection to close; ${state()}` });
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** The head of a POST with these more header lines. */
export function postHead(path: string, lines: readonly string[] = []): string {
  return [`POST ${path} HTTP/1.1`, 'host: localhost', 'content-type: application/json', ...lines, '', ''].join('\r\n');
}

/** A whole POST. */
export function post(path: string, body: string | Buffer, lines: readonly string[] = []): string {
  return postHead(path, [`content-length: ${Buffer.byteLength(body)}`, ...lines]) + String(body);
}

/** Reads the last answer in what was received; throws where there is none. */
export function lastAnswer(received: string): RawAnswer {
  const at = received.search(/HTTP\/1\.1 \d{3} (?![\s\S]*HTTP\/1\.1 \d{3} )/);
  const end = received.indexOf('\r\n\r\n', at);
  if (at < 0 || end < 0) throw new Error(`no answer in ${JSON.stringify(received)}`);
  const [first = '', ...lines] = received.slice(at, end).split('\r\n');
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(first.split(' ')[1]), headers, body: received.slice(end + 4) };
}
