import type { Clock } from '../../lib/clock.ts';

// Which agents have fallen silent. A node whose agent says nothing for the time-out is taken to be gone, even if its engine still
// answers: its machine may be half dead, or the agent's network the part that broke, and who told of it is not there to ask.

interface Watched {
  cancel: () => void;
  /** Why it counts as silent, for administrators; null while it does not. */
  silent: string | null;
  /** Epoch ms; null: nothing since this control plane started. */
  lastAt: number | null;
}

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onSilent: (nodeId: string) => void;
}

export class Heartbeats {
  readonly #options: HeartbeatOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Gives a node known from before its time to be heard of. */
  expect(nodeId: string): void {
    this.#watch(nodeId, null);
  }

  /** True if it had been silent, or was not known. */
  beat(nodeId: string): boolean {
    const before = this.#watched.get(nodeId);
    this.#watch(nodeId, this.#options.clock.wall());
    return !before || before.silent !== null;
  }

  /** Takes it for silent at once, until it is heard of again. */
  silence(nodeId: string, why: string): void {
    const watched = this.#watched.get(nodeId);
    if (!watched) return;
    watched.cancel();
    watched.silent = why;
    this.#options.onSilent(nodeId);
  }

  forget(nodeId: string): void {
    this.#watched.get(nodeId)?.cancel();
    this.#watched.delete(nodeId);
  }

  /** Why it counts as silent; null where it does not, or is not watched. */
  whySilent(nodeId: string): string | null {
    return this.#watched.get(nodeId)?.silent ?? null;
  }

  /** Epoch ms. */
  lastAt(nodeId: string): number | null {
    return this.#watched.get(nodeId)?.lastAt ?? null;
  }

  stop(): void {
    for (const { cancel } of this.#watched.values()) cancel();
    this.#watched.clear();
  }

  #watch(nodeId: string, lastAt: number | null): void {
    const { clock, timeoutMs } = this.#options;
    this.#watched.get(nodeId)?.cancel();
    const why = `Its agent has been silent for ${Math.round(timeoutMs / 1000)} s. Look at weir agent on that machine, and at the network.`;
    const cancel = clock.after(timeoutMs, () => this.silence(nodeId, why));
    this.#watched.set(nodeId, { cancel, silent: null, lastAt });
  }
}
