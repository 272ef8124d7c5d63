import type { LocalEngineKind } from '../../../src/fleet/glossary.ts';

// An engine in numbers. One iteration of its loop takes
//
//   step + perSequence · b + perContextToken · C + u / promptRate + perPromptTokenSquared · ((x+u)² − x²)
//
// for b sequences that decode, C tokens of context they hold, and u prompt tokens processed from position x on. With
// `chunk` prompts are cut into pieces that share iterations with decoding (vLLM, SGLang); without it a prompt is one iteration in
// which nobody decodes (Ollama, llama.cpp). After Vidur's and Preble's measurements; fleets/ cites them for each engine.

export interface EngineModel {
  readonly kind: LocalEngineKind;
  readonly slots: number;
  readonly stepMs: number;
  readonly perSequenceMs: number;
  readonly perContextTokenMs: number;
  readonly promptTokensPerSecond: number;
  readonly perPromptTokenSquaredMs: number;
  /** Tokens of one iteration; null: a prompt is processed whole. */
  readonly chunkTokens: number | null;
  /** Tokens of context that fit in memory. */
  readonly kvTokens: number;
  /** `blocks`: shared and evicted block by block; `slots`: each slot keeps its last prompt; `none`. */
  readonly prefixCache: 'blocks' | 'slots' | 'none';
  /** Requests that may wait inside before it answers 503. */
  readonly maxWaiting: number;
  readonly models: readonly string[];
  readonly loadMs: number;
  /** Models that fit in memory at once. */
  readonly maxResident: number;
  /** True where no model is in memory at the start. */
  readonly cold: boolean;
}

/** What one iteration does. */
export interface Iteration {
  /** Sequences that get a token each. */
  readonly decoding: number;
  /** Tokens of context they hold. */
  readonly context: number;
  /** Prompt tokens processed. */
  readonly prompt: number;
  /** Position in the prompt where they begin. */
  readonly from: number;
}

/** Ms that `count` like iterations take, one after the other: contexts grow by a token each, prompts move on. */
export function iterationsMs(
  model: EngineModel,
  { decoding, context, prompt, from }: Iteration,
  count: number,
): number {
  const contexts = count * context + (decoding * count * (count - 1)) / 2;
  const end = from + count * prompt;
  return (
    count * (model.stepMs + model.perSequenceMs * decoding) +
    model.perContextTokenMs * contexts +
    ((count * prompt) / model.promptTokensPerSecond) * 1000 +
    model.perPromptTokenSquaredMs * (end * end - from * from)
  );
}

/** How many of `most` iterations are over after `elapsedMs`. */
export function iterationsWithin(model: EngineModel, iteration: Iteration, most: number, elapsedMs: number): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (iterationsMs(model, iteration, middle) <= elapsedMs) low = middle;
    else high = middle - 1;
  }
  return low;
}
