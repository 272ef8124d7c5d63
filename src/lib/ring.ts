/** The last `size` things pushed, oldest first. */
export class Ring<T> {
  readonly #size: number;
  #items: T[] = [];
  #start = 0;

  constructor(size: number) {
    this.#size = size;
  }

  push(item: T): void {
    if (this.#items.length < this.#size) this.#items.push(item);
    else {
      this.#items[this.#start] = item;
      this.#start = (this.#start + 1) % this.#size;
    }
  }

  /** The newest `count`, oldest of them first. */
  last(count: number): T[] {
    const all = [...this.#items.slice(this.#start), ...this.#items.slice(0, this.#start)];
    return count <= 0 ? [] : all.slice(-count);
  }
}
