// Which nodes have a free slot, without a look at all of them for each request that finds none. Kept is who may have one: whoever was
// changed since it was last found full. Who is asked and has none is left out until it changes again, so a look costs no more than
// the changes before it, however large the fleet.

export class FreeNodes {
  readonly #hasFreeSlot: (node: number) => boolean;
  /** Everybody who has one, and some who may not. */
  readonly #maybe = new Set<number>();

  constructor(hasFreeSlot: (node: number) => boolean) {
    this.#hasFreeSlot = hasFreeSlot;
  }

  /** The node may have more slots, or fewer of them taken, than before. */
  changed(node: number): void {
    this.#maybe.add(node);
  }

  /** Anything may have changed on the nodes below this index. */
  allChanged(nodes: number): void {
    this.#maybe.clear();
    for (let node = 0; node < nodes; node += 1) this.#maybe.add(node);
  }

  get isAny(): boolean {
    for (const node of this.#maybe) {
      if (this.#hasFreeSlot(node)) return true;
      this.#maybe.delete(node);
    }
    return false;
  }

  /** All of them, where they are surely no more than `most`; else null. */
  few(most: number): readonly number[] | null {
    if (this.#maybe.size > most) return null;
    const free: number[] = [];
    for (const node of this.#maybe) {
      if (this.#hasFreeSlot(node)) free.push(node);
      else this.#maybe.delete(node);
    }
    return free;
  }
}
