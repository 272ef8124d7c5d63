interface Entry<T> {
  readonly key: number;
  readonly value: T;
}

/** A binary min-heap of values with a number each; ties in no particular order. */
export class Heap<T> {
  readonly #entries: Entry<T>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The smallest key, or undefined when empty. */
  peekKey(): number | undefined {
    return this.#entries[0]?.key;
  }

  /** The value of the smallest key, or undefined when empty. */
  peek(): T | undefined {
    return this.#entries[0]?.value;
  }

  push(key: number, value: T): void {
    const entries = this.#entries;
    let at = entries.length;
    entries.push({ key, value });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#keyAt(parent) <= key) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): T | undefined {
    const entries = this.#entries;
    this.#swap(0, entries.length - 1);
    const top = entries.pop();
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= entries.length) break;
      const child = this.#keyAt(left + 1) < this.#keyAt(left) ? left + 1 : left;
      if (this.#keyAt(at) <= this.#keyAt(child)) break;
      this.#swap(at, child);
      at = child;
    }
    return top?.value;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  #keyAt(at: number): number {
    return this.#entries[at]?.key ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const first = this.#entries[a];
    const second = this.#entries[b];
    if (!first || !second) return;
    this.#entries[a] = second;
    this.#entries[b] = first;
  }
}
