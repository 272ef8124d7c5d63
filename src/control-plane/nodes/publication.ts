import type { FleetSnapshot, KeySnapshot } from '../../fleet/snapshot.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import type { Clock } from '../../lib/clock.ts';
import { buildSnapshot } from './build-snapshot.ts';
import type { RegisteredNode } from './registered-node.ts';

// When snapshots and telemetry leave. Changes that come together leave together: each snapshot costs the data plane its
// cached selections. Telemetry is only overwritten there, so it may be sent often, and is bundled for the sake of messages.

const COALESCE_MS = 5;
const TELEMETRY_APART_MS = 100;

export interface PublicationOptions {
  readonly clock: Clock;
  readonly resume: FleetSnapshot | null;
  readonly nodes: () => readonly RegisteredNode[];
  readonly keys: () => ReadonlyMap<string, KeySnapshot>;
  readonly isSettled: () => boolean;
  readonly sendSnapshot: (snapshot: FleetSnapshot) => void;
  readonly sendTelemetry: (nodes: readonly NodeTelemetry[]) => void;
}

export class Publication {
  readonly #options: PublicationOptions;
  readonly #firstSeenAt: Map<string, number>;
  readonly #telemetry = new Map<number, NodeTelemetry>();
  #version: number;
  #cancelSnapshot: (() => void) | null = null;
  #cancelTelemetry: (() => void) | null = null;

  constructor(options: PublicationOptions) {
    this.#options = options;
    this.#version = options.resume?.version ?? 0;
    this.#firstSeenAt = new Map([...(options.resume?.models ?? [])].map(([name, model]) => [name, model.firstSeenAt]));
  }

  /** The version of the next snapshot. */
  get nextVersion(): number {
    return this.#version + 1;
  }

  /** Something a snapshot tells has changed. */
  changed(): void {
    this.#cancelSnapshot ??= this.#options.clock.after(COALESCE_MS, () => this.#publish());
  }

  /** Publishes at once what waits to be; returns the version that contains it. */
  flush(): number {
    if (this.#cancelSnapshot) this.#publish();
    return this.#version;
  }

  telemetry(telemetry: NodeTelemetry): void {
    this.#telemetry.set(telemetry.index, telemetry);
    this.#cancelTelemetry ??= this.#options.clock.after(TELEMETRY_APART_MS, () => {
      this.#cancelTelemetry = null;
      const nodes = [...this.#telemetry.values()];
      this.#telemetry.clear();
      this.#options.sendTelemetry(nodes);
    });
  }

  /** Epoch ms when a model was first offered. */
  firstSeenAt(model: string): number {
    const known = this.#firstSeenAt.get(model);
    if (known !== undefined) return known;
    const now = this.#options.clock.wall();
    this.#firstSeenAt.set(model, now);
    return now;
  }

  stop(): void {
    this.#cancelSnapshot?.();
    this.#cancelTelemetry?.();
  }

  #publish(): void {
    this.#cancelSnapshot?.();
    this.#cancelSnapshot = null;
    this.#version += 1;
    const { nodes, keys, isSettled, sendSnapshot } = this.#options;
    sendSnapshot(
      buildSnapshot({
        version: this.#version,
        settled: isSettled(),
        nodes: nodes(),
        keys: keys(),
        firstSeenAt: (model) => this.firstSeenAt(model),
      }),
    );
  }
}
