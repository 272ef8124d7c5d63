import type { EngineKind } from '../../fleet/glossary.ts';

// How many requests a node takes at once until that is learned: what the operator set, else what the engine told, else a
// number by kind. A batching engine takes many; an Ollama serves one at a time unless told otherwise; an unknown server gets a
// number that neither starves it nor floods it.

const byKind: Readonly<Record<EngineKind, number>> = {
  ollama: 1,
  llamacpp: 1,
  lmstudio: 4,
  openai: 8,
  vllm: 64,
  sglang: 64,
  anthropic: 64,
  google: 64,
};

/** At least 1. */
export function slotsOf(configured: number | null, told: number | null, engine: EngineKind): number {
  return configured ?? told ?? byKind[engine];
}
