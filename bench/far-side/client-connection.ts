import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { AnswerReader, type AnswerSink } from './answer-reader.ts';

// One keep-alive connection of a client, at the least cost Node allows: one read buffer for all of them, no stream objects per answer. It
// sends one request at a time and reconnects by itself when the other side has closed it in between, as client libraries do.

export interface ExchangeSink extends AnswerSink {
  /** The connection ended before the answer did. */
  readonly onBroken: (reason: string) => void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

const READ_BYTES = 256 * 1024;

/** What the connections of one measurement share. */
export class Connections {
  opened = 0;
  readonly buffer: Buffer = Buffer.alloc(READ_BYTES);
}

export class ClientConnection {
  readonly #address: Address;
  readonly #shared: Connections;
  readonly #sink: ExchangeSink;
  #reader: AnswerReader | null = null;
  #socket: Socket | null = null;
  #isBusy = false;
  /** The answer said that none follows it on this connection. */
  #isLast = false;

  constructor(address: Address, shared: Connections, sink: ExchangeSink) {
    this.#address = address;
    this.#shared = shared;
    this.#sink = sink;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  send(bytes: Buffer): void {
    this.#isBusy = true;
    this.#socket ??= this.#open();
    this.#socket.write(bytes);
  }

  destroy(): void {
    this.#isBusy = false;
    this.#socket?.destroy();
    this.#socket = null;
  }

  #newReader(): AnswerReader {
    const sink = this.#sink;
    return new AnswerReader({
      onHead: (status, head) => {
        this.#isLast = /\r\nconnection: *close/i.test(head);
        sink.onHead(status, head);
      },
      onBody: sink.onBody,
      onEnd: () => {
        this.#isBusy = false;
        if (this.#isLast) this.destroy();
        sink.onEnd();
      },
    });
  }

  #open(): Socket {
    this.#shared.opened += 1;
    const reader = this.#newReader();
    this.#reader = reader;
    const socket = connect({
      ...this.#address,
      noDelay: true,
      onread: {
        buffer: this.#shared.buffer,
        callback: (length) => {
          try {
            reader.push(this.#shared.buffer, length);
          } catch (error) {
            socket.destroy(error instanceof Error ? error : new Error('unreadable'));
          }
          return true;
        },
      },
    });
    let reason = 'closed';
    socket.on('error', (error) => {
      reason = 'code' in error ? String(error.code) : error.message;
    });
    // The other side has closed: what is sent from now on would be lost.
    socket.on('end', () => this.#lose(socket, reason));
    socket.on('close', () => this.#lose(socket, reason));
    return socket;
  }

  #lose(socket: Socket, reason: string): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    socket.destroy();
    if (!this.#isBusy || this.#reader?.close()) return;
    this.#isBusy = false;
    this.#sink.onBroken(reason);
  }
}
