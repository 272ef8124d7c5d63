// When a pull that broke is tried again. An engine keeps what it has and goes on from there, so a try that brought something counts
// as the first one again; only tries in a row that brought nothing lead to giving up.

const FIRST_MS = 1000;
const MOST_MS = 60_000;
const MOST_FRUITLESS = 8;

export class Attempts {
  #best = 0;
  #fruitless = 0;

  /** An attempt broke with that much pulled: ms until the next one, or null to give up. `random`: 0 to below 1. */
  broke(completedBytes: number | null, random: number): number | null {
    const reached = completedBytes ?? 0;
    this.#fruitless = reached > this.#best ? 1 : this.#fruitless + 1;
    this.#best = Math.max(this.#best, reached);
    if (this.#fruitless >= MOST_FRUITLESS) return null;
    // Half of it by chance: a hub that went away took many pulls with it, and they must not all come back at once.
    return Math.min(MOST_MS, FIRST_MS * 2 ** (this.#fruitless - 1)) * (0.5 + random / 2);
  }
}
