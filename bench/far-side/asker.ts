import { Buffer } from 'node:buffer';
import { type Asked, type Check } from './checks.ts';
import { type Address, ClientConnection, type Connections } from './client-connection.ts';
import { microsNow, NUMBER_WIDTH, type Text, writeDigits } from './texts.ts';

/** One client that asks for whole answers, one at a time, and checks each. */
export class Asker {
  readonly #connection: ClientConnection;
  readonly #request: Buffer;
  readonly #digitsAt: number;
  #body = Buffer.alloc(4096);
  #bodyBytes = 0;
  #status = 0;
  #head = '';
  #number = 0;
  #sentAt = 0;

  constructor(
    address: Address,
    shared: Connections,
    text: Text,
    check: Check,
    onDone: (asked: Asked, asker: Asker) => void,
  ) {
    this.#request = Buffer.from(text.bytes);
    this.#digitsAt = text.digitsAt;
    this.#connection = new ClientConnection(address, shared, {
      onHead: (status, head) => {
        this.#status = status;
        this.#head = head;
        this.#bodyBytes = 0;
      },
      onBody: (bytes, start, end) => this.#keep(bytes, start, end),
      onEnd: () => {
        const answer = {
          status: this.#status,
          head: this.#head,
          body: this.#body,
          bodyBytes: this.#bodyBytes,
          number: this.#number,
          totalMs: (microsNow() - this.#sentAt) / 1000,
        };
        onDone(check(answer), this);
      },
      onBroken: (reason) => onDone({ wrong: `broken: ${reason}` }, this),
    });
  }

  get isBusy(): boolean {
    return this.#connection.isBusy;
  }

  ask(number: number): void {
    this.#number = number;
    writeDigits(this.#request, this.#digitsAt, NUMBER_WIDTH, number);
    this.#sentAt = microsNow();
    this.#connection.send(this.#request);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const needed = this.#bodyBytes + end - start;
    if (needed > this.#body.length) this.#body = Buffer.concat([this.#body], needed * 2);
    bytes.copy(this.#body, this.#bodyBytes, start, end);
    this.#bodyBytes = needed;
  }
}
