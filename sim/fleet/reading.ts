import type { Engine } from './engine/engine.ts';
import type { Reading } from './seen.ts';

// What each kind of engine shows of its load (as of 2026: vLLM and SGLang by their metrics, llama.cpp by its slots and
// metrics; Ollama and a bare OpenAI server nothing). Exact at the moment it is read: staleness comes from polling.

/** Null for an engine that shows nothing. */
export function readingOf(engine: Engine, now: number): Reading | null {
  const { kind } = engine.model;
  switch (kind) {
    case 'vllm':
    case 'sglang':
    case 'llamacpp':
      return {
        readAt: now,
        running: engine.running,
        waiting: engine.waiting,
        cacheUse: kind === 'llamacpp' ? null : engine.memoryUse,
        waitingTokens: kind === 'sglang' ? engine.waitingTokens : null,
        tokensPerSecond: kind === 'sglang' ? engine.tokensPerSecond : null,
      };
    case 'ollama':
    case 'lmstudio':
    case 'openai':
      return null;
    default:
      return kind satisfies never;
  }
}
