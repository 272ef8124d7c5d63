import type { Exchange, ExchangeError, Receiver, ResponseHeaders } from '../../http-client/exchange.ts';
import { errorMessageOf } from '../../lib/error-message.ts';
import type { Deadline, Deadlines } from '../../lib/deadlines.ts';
import { textOf } from './answer-head.ts';
import type { Outlet, Paced } from './outlet.ts';
import type { RelayEnd } from './relay-end.ts';

// A command's answer on its way to the client: lines of progress, one JSON object, or nothing at all, which is how Ollama says that a copy
// or a deletion is done. Each object is told again scrubbed; what is no object is the node's own and is told to nobody.
//
// An inference answer is another thing (answer-relay.ts): it is never empty, its text must not be touched, and its silences are short. A
// node that verifies a hundred gigabytes says nothing for minutes, so lines may be as far apart as in a pull of the admin API, and
// an answer that is not streamed may take as long as the node is there.

const SILENCE_MS = 600_000;
const HELD_BYTES = 256 * 1024;
const LF = 0x0a;

export interface CommandRelayOptions {
  readonly outlet: Outlet;
  /** What a client may read of an object of the node's. */
  readonly scrub: (object: unknown) => unknown;
  /** The router's own headers: name, value, … */
  readonly headers: () => string[];
  /** Until the head of the answer; null: as long as the node is there. */
  readonly firstByteMs: number | null;
  /** For how long the client may take nothing. */
  readonly stuckMs: number;
  readonly deadlines: Deadlines;
}

export class CommandRelay implements Receiver, Paced {
  /** Resolves once, when the exchange has ended or its socket is destroyed. Never rejects. */
  readonly ended: Promise<RelayEnd>;
  readonly #options: CommandRelayOptions;
  readonly #resolve: (end: RelayEnd) => void;
  readonly #outlet: Outlet;
  #exchange: Exchange | null = null;
  #status: number | null = null;
  #headers: ResponseHeaders = {};
  #isStream = false;
  #held: Buffer = Buffer.alloc(0);
  #saidSuccess = false;
  #isOver = false;
  #deadline: Deadline | null = null;

  constructor(options: CommandRelayOptions) {
    this.#options = options;
    this.#outlet = options.outlet;
    this.#outlet.paced = this;
    const { promise, resolve } = Promise.withResolvers<RelayEnd>();
    this.ended = promise;
    this.#resolve = resolve;
  }

  /** Starts the clock; called once, right after the exchange was started. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange;
    const { firstByteMs } = this.#options;
    if (this.#isOver) exchange.abort();
    else if (firstByteMs !== null) this.#limit(firstByteMs, () => this.#finish('first-byte-timeout'));
  }

  stuck(): void {
    this.#exchange?.pause();
    this.#limit(this.#options.stuckMs, () => {
      if (this.#outlet.waitsForTurn) return this.stuck();
      this.#outlet.cut();
      this.#finish('client-gone');
    });
  }

  taken(): void {
    if (this.#isOver) return;
    this.#listen();
    this.#exchange?.resume();
  }

  /** The client is gone: the node is told by closing its socket, and Ollama then leaves off. */
  clientGone(): void {
    this.#finish('client-gone');
  }

  /** The control plane gave the node up. Progress that was heard of is left to its own time-out. */
  nodeLost(): void {
    if (!this.#outlet.hasBegun) this.#finish('node-lost');
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#status = status;
    this.#headers = headers;
    this.#isStream = isSuccess(status) && textOf(headers['content-type']).toLowerCase().includes('ndjson');
    this.#listen();
  }

  onData(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (this.#isStream) this.#relayLines();
    if (this.#isOver) return;
    if (this.#outlet.stuckSince === null) this.#listen();
    if (this.#held.length <= HELD_BYTES) return;
    if (this.#status !== null && isSuccess(this.#status)) this.#finish(this.#outlet.hasBegun ? 'broken' : 'garbage');
    else this.#finish('refused');
  }

  onEnd(): void {
    const status = this.#status ?? 0;
    if (!isSuccess(status)) return this.#finish('refused');
    if (this.#isStream) return this.#endLines();
    if (this.#held.toString('utf8').trim() === '') {
      this.#outlet.send(status, this.#options.headers(), Buffer.alloc(0));
      return this.#finish('complete');
    }
    const object = objectIn(this.#held);
    if (object === null) return this.#finish('garbage');
    if ('error' in object) return this.#finish('server-error', errorMessageOf(object));
    const body = Buffer.from(JSON.stringify(this.#options.scrub(object)));
    this.#outlet.send(status, [...this.#options.headers(), 'content-type', 'application/json'], body);
    this.#finish('complete');
  }

  onError({ failure }: ExchangeError): void {
    this.#finish(this.#outlet.hasBegun ? 'broken' : failure);
  }

  #relayLines(): void {
    const end = this.#held.lastIndexOf(LF) + 1;
    if (end === 0) return;
    const lines = this.#held.subarray(0, end).toString('utf8').split('\n');
    // A copy: what is left must not keep the whole chunk.
    this.#held = Buffer.from(this.#held.subarray(end));
    for (const line of lines) if (!this.#isOver) this.#relayLine(line);
  }

  #relayLine(line: string): void {
    const object = objectIn(line);
    if (object === null) return;
    const { hasBegun } = this.#outlet;
    if ('error' in object) return this.#finish(hasBegun ? 'broken' : 'server-error', errorMessageOf(object));
    this.#saidSuccess ||= 'status' in object && object.status === 'success';
    const told = `${JSON.stringify(this.#options.scrub(object))}\n`;
    if (!hasBegun) {
      const headers = [...this.#options.headers(), 'content-type', 'application/x-ndjson'];
      this.#outlet.begin(this.#status ?? 200, headers);
    }
    this.#outlet.write(Buffer.from(told));
  }

  #endLines(): void {
    const rest = this.#held.toString('utf8');
    this.#held = Buffer.alloc(0);
    this.#relayLine(rest);
    if (this.#isOver) return;
    if (!this.#outlet.hasBegun) return this.#finish('garbage');
    // Where only the closing of the socket ends the body, a killed node looks the same, and only its last word tells.
    const isFramed = 'transfer-encoding' in this.#headers || 'content-length' in this.#headers;
    if (!this.#saidSuccess && !isFramed) return this.#finish('broken');
    this.#outlet.end();
    this.#finish('complete');
  }

  /** Waits for the node's next word. */
  #listen(): void {
    this.#limit(SILENCE_MS, () => this.#finish(this.#outlet.hasBegun ? 'broken' : 'stalled'));
  }

  #limit(ms: number, run: () => void): void {
    this.#deadline?.cancel();
    this.#deadline = this.#isOver ? null : this.#options.deadlines.set(ms, run);
  }

  #finish(end: RelayEnd['end'], nodeMessage: string | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.cancel();
    this.#outlet.paced = null;
    // Does nothing where the exchange is over.
    this.#exchange?.abort();
    const refusal = { status: this.#status ?? 0, headers: this.#headers, body: this.#held };
    this.#resolve({
      end,
      status: this.#status,
      refusal: end === 'refused' ? refusal : null,
      nodeMessage,
      usage: null,
      isStream: this.#isStream,
    });
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function objectIn(text: string | Buffer): object | null {
  try {
    const value: unknown = JSON.parse(text.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
