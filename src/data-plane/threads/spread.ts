import type { Socket } from 'node:net';
import type { Board } from './board.ts';

// The kernel gives each new connection to a thread by a hash of its addresses, blind to how many each already has, and pools of clients
// keep theirs for hours. A thread that holds over one and a half times the mean ends some of its connections with the answer under
// way (`connection: close`), so many as are too many: they come again, perhaps elsewhere, and since each thread is
// as likely as the others, the surplus shrinks until it is under that. Few connections are let be: their unevenness costs nothing.

const TOO_MANY = 1.5;
const LET_BE = 8;

/** The chance in [0, 1] that an answer should end its connection, by the thread's connections and those of all `threads`. */
export function shedShare(own: number, total: number, threads: number): number {
  const mean = total / threads;
  return own <= LET_BE || own <= TOO_MANY * mean ? 0 : (own - mean) / own;
}

/** Counts a thread's connections where all see them, and says which answers end theirs. */
export class Spread {
  readonly #board: Board;
  readonly #thread: number;
  readonly #random: () => number;
  #own = 0;

  constructor(board: Board, thread: number, random: () => number) {
    this.#board = board;
    this.#thread = thread;
    this.#random = random;
  }

  opened(socket: Socket): void {
    this.#count(1);
    socket.once('close', () => this.#count(-1));
  }

  shedsConnection(): boolean {
    if (this.#own <= LET_BE) return false;
    let total = 0;
    for (let thread = 0; thread < this.#board.threads; thread += 1) total += this.#board.connections(thread);
    const share = shedShare(this.#own, total, this.#board.threads);
    return share > 0 && this.#random() < share;
  }

  #count(by: 1 | -1): void {
    this.#own += by;
    this.#board.setConnections(this.#thread, this.#own);
  }
}
