/** How many requests a node is given at once. */
export class SlotLimit {
  #slots: number;
  #isKnown: boolean;

  constructor(slots: number, isKnown: boolean) {
    this.#slots = slots;
    this.#isKnown = isKnown;
  }

  get slots(): number {
    return this.#slots;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  told(slots: number, isKnown: boolean): void {
    this.#slots = slots;
    this.#isKnown = isKnown;
  }
}
