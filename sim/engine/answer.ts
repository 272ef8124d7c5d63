import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { SettledFault } from './faults.ts';

// One answer on its way out, and the place where it goes wrong on purpose. Faces write through it without knowing of faults.
// Backpressure is not obeyed: like vLLM, whose answers queue in memory, the engine computes on when its client reads slowly.

export class Answer {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fault: SettledFault | null;
  /** Body bytes that still pass before the fault strikes. */
  #passes: number;
  #struck = false;

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>, fault: SettledFault | null) {
    this.#response = response;
    this.#socket = response.req.socket;
    this.#headers = headers;
    this.#fault = fault;
    this.#passes = fault?.afterBytes ?? Infinity;
  }

  get hasHead(): boolean {
    return this.#response.headersSent;
  }

  /** Sends the head of an answer whose body comes piece by piece. Does nothing if it was sent. */
  head(status: number, headers: OutgoingHttpHeaders): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    this.#response.writeHead(status, { ...this.#headers, ...headers });
    this.#response.flushHeaders();
    if (this.#passes === 0) this.#strike();
  }

  write(text: string): void {
    if (this.#struck || this.#response.destroyed) return;
    const bytes = Buffer.byteLength(text);
    if (bytes < this.#passes) {
      this.#passes -= bytes;
      this.#response.write(text);
      return;
    }
    const part = Buffer.from(text).subarray(0, this.#passes);
    this.#response.write(part, () => this.#strike());
    this.#struck = true;
  }

  end(text = ''): void {
    if (text !== '') this.write(text);
    if (!this.#struck) this.#response.end();
  }

  /** A whole answer of JSON, or of text with its own content type. */
  whole(status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.head(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers });
    this.end(text);
  }

  /** Ends the connection with an RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Sends bytes that are not an answer and ends the connection. */
  nonsense(bytes: string): void {
    this.#socket.end(bytes);
  }

  #strike(): void {
    this.#struck = true;
    if (this.#fault?.kind === 'reset') this.reset();
    else if (this.#fault?.kind === 'broken-chunk') this.nonsense('ZZZ\r\nthis is not a chunk\r\n');
    // What is left is `stall`: silence.
  }
}
