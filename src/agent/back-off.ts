const FIRST_MS = 500;
const MOST_MS = 10_000;

/** How long to wait before the next try: half a second, doubling up to 10 s, each shortened at random by up to a half, so that the agents of a router that comes back do not come all at once. */
export class BackOff {
  readonly #random: () => number;
  #nextMs = FIRST_MS;

  constructor(random: () => number) {
    this.#random = random;
  }

  succeeded(): void {
    this.#nextMs = FIRST_MS;
  }

  /** Ms until the next try. */
  failed(): number {
    const delayMs = this.#nextMs * (1 - this.#random() / 2);
    this.#nextMs = Math.min(MOST_MS, this.#nextMs * 2);
    return delayMs;
  }
}
