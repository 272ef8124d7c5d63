import type { AttemptEnd } from '../../../src/fleet/settlement.ts';
import type { Floor } from '../seen.ts';

export interface TimeSettings {
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
}

/** Watches one attempt: for its first token, then for silence. Calls `over` at most once. */
export class TimeLimits {
  readonly #floor: Floor;
  readonly #settings: TimeSettings;
  readonly #over: (end: AttemptEnd) => void;
  #heardAt: number | null = null;
  #stop: () => void;

  constructor(floor: Floor, settings: TimeSettings, over: (end: AttemptEnd) => void) {
    this.#floor = floor;
    this.#settings = settings;
    this.#over = over;
    this.#stop = floor.after(settings.firstByteMs, () => over('first-byte-timeout'));
  }

  heard(): void {
    const isFirst = this.#heardAt === null;
    this.#heardAt = this.#floor.now();
    if (!isFirst) return;
    this.#stop();
    this.#watch(this.#heardAt);
  }

  stop(): void {
    this.#stop();
  }

  #watch(heardAt: number): void {
    const dueAt = heardAt + this.#settings.betweenBytesMs;
    this.#stop = this.#floor.at(dueAt, () => {
      if (this.#heardAt === heardAt) this.#over('stalled');
      else this.#watch(this.#heardAt ?? heardAt);
    });
  }
}
