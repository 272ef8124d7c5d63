import { DirectPort } from '../../src/data-plane/dispatcher/dispatch-port.ts';
import { noClaim, type Ticket, type WaitResult } from '../../src/data-plane/dispatcher/ticket.ts';
import { Leaving } from '../../src/data-plane/leaving.ts';
import { Board } from '../../src/data-plane/threads/board.ts';
import { Outbox } from '../../src/data-plane/threads/outbox.ts';
import { RelayDesk } from '../../src/data-plane/threads/relay-desk.ts';
import { RemotePort } from '../../src/data-plane/threads/remote-port.ts';
import { Ring, ringMemory } from '../../src/data-plane/threads/ring.ts';
import { SharedDispatcher } from '../../src/data-plane/threads/shared-dispatcher.ts';
import { Shelf, shelfMemory } from '../../src/data-plane/threads/shelf.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { fleetOf, type NodePlan, seededRandom } from './fleet.ts';

// The dispatcher and threads that ask it, all played by one thread in an order that the test decides: wakes and the ends of ticks lie in
// a queue until the test lets them happen.

export interface Asked {
  readonly id: number;
  readonly leaving: Leaving;
  /** Null until it is answered. */
  result: WaitResult | null;
}

interface StagedThread {
  readonly port: RemotePort;
  readonly desk: RelayDesk;
}

export class ThreadStage {
  readonly clock = new ManualClock(5000);
  readonly main: DirectPort;
  readonly threads: readonly StagedThread[];
  readonly sharing: SharedDispatcher;
  #queue: (() => void)[] = [];
  wakes = 0;

  constructor(nodes: readonly NodePlan[], threads: number, maxWaiters = 20) {
    const board = new Board(threads + 1);
    const random = seededRandom(1);
    const { clock } = this;
    this.sharing = new SharedDispatcher(board);
    const queue = { maxWaiters, timeoutMs: 30_000, maxBytes: 1_000_000, maxShare: 1, reserved: 0 };
    const selection = { policy: 'adaptive', cacheTtlMs: 10 } as const;
    this.main = new DirectPort({ queue, selection, random }, clock, this.sharing);
    this.sharing.publishes(this.main);
    this.main.replaceSnapshot(fleetOf(nodes));
    const atTickEnd = (run: () => void): void => void this.#queue.push(run);
    this.threads = Array.from({ length: threads }, () => {
      const [up, down, cells] = [ringMemory(), ringMemory(), shelfMemory()];
      const wakeMain = (): void =>
        this.#later(() => {
          desk.wakes();
          this.sharing.hear();
        });
      const wakeThread = (): void => this.#later(() => port.hear());
      const port = new RemotePort({
        inbox: new Ring(down),
        outbox: new Outbox({ ring: new Ring(up), clock, wake: wakeMain, atTickEnd }),
        board,
        shelf: new Shelf(cells),
        clock,
        random,
        catchUp: () => undefined,
        learns: () => true,
      });
      const desk = new RelayDesk({
        inbox: new Ring(up),
        outbox: new Outbox({ ring: new Ring(down), clock, wake: wakeThread, atTickEnd }),
        port: this.main,
        shelf: new Shelf(cells),
        clock,
      });
      this.sharing.open(desk);
      return { port, desk };
    });
  }

  /** Asks for a slot, on a thread or (null) on the main one. */
  ask(thread: number | null, parts: Partial<Ticket> = {}): Asked {
    const port = thread === null ? this.main : this.threads[thread]?.port;
    if (!port) throw new RangeError('no such thread');
    const asked: Asked = { id: port.nextTicketId(), leaving: new Leaving(), result: null };
    const ticket = {
      id: asked.id,
      model: 'm',
      bytes: 10,
      maxWaitMs: 30_000,
      tried: [],
      readmitted: false,
      claim: noClaim,
      ...parts,
    };
    void this.#hear(asked, port.waitForReadyWithTimeout(ticket, asked.leaving));
    return asked;
  }

  get hasWork(): boolean {
    return this.#queue.length > 0;
  }

  /** Lets one of the things happen that lie in the queue. */
  async step(at = 0): Promise<void> {
    const [run] = this.#queue.splice(at % Math.max(1, this.#queue.length), 1);
    run?.();
    await this.answers();
  }

  /** Lets promises that are settled be seen. */
  async answers(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
  }

  /** Lets everything happen. */
  async settle(): Promise<void> {
    await this.answers();
    while (this.hasWork) await this.step();
  }

  async #hear(asked: Asked, answer: Promise<WaitResult>): Promise<void> {
    asked.result = await answer;
  }

  #later(run: () => void): void {
    this.wakes += 1;
    this.#queue.push(run);
  }
}
