import { afterProbe, unprobed, wantsQuickProbe, type Health } from '../../../src/control-plane/nodes/health.ts';
import type { ProbeResult } from '../../../src/control-plane/probe.ts';
import type { NodeState } from '../../../src/fleet/glossary.ts';
import type { FleetSnapshot } from '../../../src/fleet/snapshot.ts';
import type { NodeTelemetry } from '../../../src/fleet/telemetry.ts';
import type { Reading, SeenNode } from '../seen.ts';
import { snapshotOf } from './snapshot-of.ts';

// What Weir's control plane would know of the modelled nodes, by its own rules of health: all are well at the start, as
// after the first round of probes.

export const PROBE_MS = 5_000;
const QUICK_PROBE_MS = 1_000;

export class WeirFleet {
  readonly #nodes: readonly SeenNode[];
  readonly #random: () => number;
  readonly #health: Health[];
  readonly #probes: number[];
  #version = 0;

  constructor(nodes: readonly SeenNode[], random: () => number) {
    this.#nodes = nodes;
    this.#random = random;
    this.#health = nodes.map(() => ({ ...unprobed, state: 'ready' }));
    this.#probes = nodes.map(() => 1);
  }

  isReady(node: number): boolean {
    return this.#health[node]?.state === 'ready';
  }

  /** Learns from a probe. Returns the node's new state where it changed. */
  probed(node: number, answer: { readonly reading: Reading | null } | null, now: number): NodeState | null {
    const before = this.#health[node] ?? unprobed;
    const after = afterProbe(before, this.#resultOf(node, answer), now);
    this.#health[node] = after;
    this.#probes[node] = (this.#probes[node] ?? 0) + 1;
    return after.state === before.state ? null : after.state;
  }

  /** Until the node's next probe. */
  pauseMs(node: number, now: number): number {
    const pauseMs = wantsQuickProbe(this.#health[node] ?? unprobed, now) ? QUICK_PROBE_MS : PROBE_MS;
    return pauseMs * (0.9 + 0.2 * this.#random());
  }

  snapshot(): FleetSnapshot {
    this.#version += 1;
    return snapshotOf(this.#nodes, this.#health, this.#probes, this.#version);
  }

  telemetry(now: number): NodeTelemetry[] {
    return this.#nodes.map(({ index, reading }) => ({
      index,
      generation: 1,
      readAt: reading?.readAt ?? now,
      running: reading?.running ?? null,
      waiting: reading?.waiting ?? null,
      cacheUse: reading?.cacheUse ?? null,
      nextProbeAt: now + PROBE_MS,
    }));
  }

  #resultOf(node: number, answer: { readonly reading: Reading | null } | null): ProbeResult {
    if (!answer) return { kind: 'unreachable', detail: 'no answer' };
    const { running = null, waiting = null, cacheUse = null } = answer.reading ?? {};
    return {
      kind: 'answered',
      engine: this.#nodes[node]?.engine ?? 'openai',
      state: 'ready',
      models: null,
      slots: null,
      load: { running, waiting, cacheUse },
      version: null,
    };
  }
}
