// Which nodes have a free slot, so that a request for which there is none need not look at all of them, however large the fleet. Judged
// anew for a node with each lease that is taken or ends there, and for all of them where the control plane has told something new.

export class FreeNodes {
  readonly #hasFreeSlot: (node: number) => boolean;
  readonly #free = new Set<number>();

  constructor(hasFreeSlot: (node: number) => boolean) {
    this.#hasFreeSlot = hasFreeSlot;
  }

  /** Something has changed on the node. */
  changed(node: number): void {
    if (this.#hasFreeSlot(node)) this.#free.add(node);
    else this.#free.delete(node);
  }

  /** Anything may have changed on the nodes below this index, and others are gone. */
  allChanged(nodes: number): void {
    this.#free.clear();
    for (let node = 0; node < nodes; node += 1) this.changed(node);
  }

  get isAny(): boolean {
    return this.#free.size > 0;
  }

  /** All of them, where they are no more than `most`; else null. Lent: it changes. */
  few(most: number): ReadonlySet<number> | null {
    return this.#free.size > most ? null : this.#free;
  }
}
