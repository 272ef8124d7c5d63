import type { EngineKind } from '../fleet/glossary.ts';

// Where the engine is. An address that was given is taken as it is; else the usual ports of this machine are looked at, at first and
// whenever the engine no longer answers where it was: one that comes back on another port is the same node at another address.

export interface SeenEngine {
  readonly url: string;
  readonly kind: EngineKind;
  readonly version: string | null;
}

export interface EngineWatchOptions {
  /** Null: to be found. */
  readonly url: string | null;
  /** Probes an address; null where no engine answers. */
  readonly probe: (url: string) => Promise<SeenEngine | null>;
  /** All engines on this machine's usual ports, the most usual first. */
  readonly search: () => Promise<readonly SeenEngine[]>;
}

export interface EngineState {
  readonly url: string;
  readonly isReachable: boolean;
  readonly kind: EngineKind | null;
  readonly version: string | null;
}

export class EngineWatch {
  readonly #options: EngineWatchOptions;
  #last: EngineState | null;

  constructor(options: EngineWatchOptions) {
    this.#options = options;
    this.#last = options.url === null ? null : { url: options.url, isReachable: false, kind: null, version: null };
  }

  /** Null: none was found yet. */
  get last(): EngineState | null {
    return this.#last;
  }

  async look(): Promise<EngineState | null> {
    const { url, probe, search } = this.#options;
    const there = this.#last === null ? null : await probe(this.#last.url);
    const found = there ?? (url === null ? (await search())[0] : null);
    if (found) this.#last = { url: found.url, isReachable: true, kind: found.kind, version: found.version };
    else if (this.#last) this.#last = { ...this.#last, isReachable: false };
    return this.#last;
  }
}
