// Where slots lie that the dispatcher has granted a thread in advance. A cell holds the number of what lies there, its negative once
// the thread has taken it, and 0 where it is empty. The thread takes and the dispatcher clears by one atomic step each, so exactly one
// of them has the slot; numbers are never used twice, so a thread cannot take what it has not been told of.

export const SHELF_CELLS = 32;

export function shelfMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * SHELF_CELLS);
}

export class Shelf {
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  lay(cell: number, id: number): void {
    Atomics.store(this.#cells, cell, id);
  }

  /** True if it was there, and now is the caller's. */
  take(cell: number, id: number): boolean {
    return Atomics.compareExchange(this.#cells, cell, id, -id) === id;
  }

  isTaken(cell: number, id: number): boolean {
    return Atomics.load(this.#cells, cell) === -id;
  }

  /** True if it was still there, and is no more. */
  clear(cell: number, id: number): boolean {
    return Atomics.compareExchange(this.#cells, cell, id, 0) === id;
  }
}
