import type { EngineModel } from './engine/engine-model.ts';
import { Engine } from './engine/engine.ts';
import type { Job } from './engine/job.ts';
import type { NodeModel, Trouble } from './fleet-model.ts';
import { readingOf } from './reading.ts';
import type { RequestRecord } from './record.ts';
import type { Reading, SeenNode } from './seen.ts';
import type { Timeline } from './timeline.ts';

/** A node as the world has it: the engine, and what is seen of it. */
export interface WorldNode {
  readonly engine: Engine;
  readonly seen: { -readonly [Key in keyof SeenNode]: SeenNode[Key] };
  isDown: boolean;
  /** Ms of a full engine's time that its work so far is worth. */
  workMs: number;
}

/** One request on its way to a node, or there. */
export interface Attempt {
  readonly id: number;
  readonly node: WorldNode;
  readonly record: RequestRecord;
  job: Job | null;
  isOver: boolean;
  tokens: number;
}

export function newNode({ name, engine, declaredSlots }: NodeModel, index: number, timeline: Timeline): WorldNode {
  return {
    engine: new Engine(engine, timeline),
    seen: {
      index,
      name,
      engine: engine.kind,
      slots: declaredSlots ?? toldSlots(engine),
      models: engine.models,
      inFlight: 0,
      reading: null,
    },
    isDown: false,
    workMs: 0,
  };
}

/** Reads a node's load, for whoever looks at it from now on. */
export function readNode(node: WorldNode, now: number): Reading | null {
  node.seen.reading = readingOf(node.engine, now);
  return node.seen.reading;
}

/** Which engines tell in their usage how much of a prompt was cached. */
export function tellsCached(engine: SeenNode['engine']): boolean {
  return engine === 'vllm' || engine === 'sglang' || engine === 'llamacpp';
}

export function planTroubles(
  timeline: Timeline,
  troubles: readonly Trouble[],
  nodes: readonly WorldNode[],
  durationMs: number,
): void {
  for (const trouble of troubles) {
    const node = nodes[trouble.node];
    if (!node) continue;
    timeline.at(trouble.at * durationMs, () => begin(node, trouble));
    timeline.at((trouble.at + trouble.lasts) * durationMs, () => end(node, trouble));
  }
}

function begin(node: WorldNode, { kind, factor }: Trouble): void {
  if (kind === 'slow') node.engine.slow(factor);
  else if (kind === 'freeze') node.engine.freeze();
  else {
    node.isDown = true;
    node.engine.crash();
  }
}

function end(node: WorldNode, { kind }: Trouble): void {
  if (kind === 'slow') node.engine.slow(1);
  else if (kind === 'freeze') node.engine.thaw();
  else {
    node.isDown = false;
    node.engine.restart();
  }
}

/** llama.cpp tells its slots (`/props`); the others do not. */
function toldSlots({ kind, slots }: EngineModel): number | null {
  return kind === 'llamacpp' ? slots : null;
}
