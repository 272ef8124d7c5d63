import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { RequestReader } from './request-reader.ts';
import { type Serving, StubStreams } from './stub-streams.ts';
import { MODEL, MICROS_WIDTH, NUMBER_WIDTH, answerText, microsNow, writeDigits } from './texts.ts';

// The node of a measurement: raw sockets, answers written once as bytes, so that it costs far less than what stands before it. How it
// serves is set from outside, for all its ports at once. It answers what routers ask of a node besides (lists of models, health).

const listed = JSON.stringify({
  object: 'list',
  data: [{ id: MODEL, object: 'model', created: 1, owned_by: 'bench', max_model_len: 32_768 }],
  models: [{ name: MODEL, model: MODEL }],
});
const plain = (body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const modelList = plain(listed);
const healthy = plain('{"status":"ok"}');
const notFound = 'HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';

export class Stub implements AsyncDisposable {
  readonly urls: string[] = [];
  readonly streams = new StubStreams();
  /** Inference requests received so far. */
  received = 0;
  #serving: Serving = { kind: 'answer', afterMs: 0 };
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #heldSockets: Socket[] = [];

  static async start(nodes: number): Promise<Stub> {
    const stub = new Stub();
    for (let n = 0; n < nodes; n++) {
      const server = createServer({ noDelay: true }, (socket) => stub.#serve(socket));
      server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });
      await once(server, 'listening');
      stub.#servers.push(server);
      stub.urls.push(`http://127.0.0.1:${addressOf(server).port}`);
    }
    return stub;
  }

  set serving(serving: Serving) {
    this.#serving = serving;
  }

  /** Closes the connections of requests that are held without an answer. */
  dropHeld(): void {
    for (const socket of this.#heldSockets) socket.destroy();
    this.#heldSockets = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    await Promise.resolve();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const { bytes, digitsAt } = answerText();
    const receivedAt = digitsAt + NUMBER_WIDTH + 1;
    const reader = new RequestReader({
      onAside: (path) => {
        socket.write(path.includes('/models') ? modelList : /health|version|info/.test(path) ? healthy : notFound);
      },
      onInference: (number) => {
        this.received += 1;
        const serving = this.#serving;
        if (serving.kind === 'hold') this.#heldSockets.push(socket);
        else if (serving.kind === 'stream') this.streams.begin(socket, serving.gapMs, serving.streams);
        else {
          writeDigits(bytes, digitsAt, NUMBER_WIDTH, number);
          writeDigits(bytes, receivedAt, MICROS_WIDTH, microsNow());
          const answer = (): void => {
            writeDigits(bytes, receivedAt + MICROS_WIDTH + 1, MICROS_WIDTH, microsNow());
            socket.write(bytes);
          };
          if (serving.afterMs === 0) answer();
          else setTimeout(answer, serving.afterMs);
        }
      },
    });
    socket.on('data', (received) => {
      try {
        reader.push(received);
      } catch {
        socket.destroy();
      }
    });
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the node has no port');
  return address;
}
