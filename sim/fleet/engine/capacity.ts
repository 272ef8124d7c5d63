import { iterationsMs, type EngineModel } from './engine-model.ts';

// What an engine could do if it were always full: the yardstick for loads and for how evenly work is spread. A batch is as
// large as slots and memory allow for the requests at hand, prompts find nothing cached. With prefix hits or short answers
// more can be done, so a load of 1.0 is not a wall.

export interface RequestSize {
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** Ms of a full engine's time that one prompt takes. */
export function promptCostMs(model: EngineModel, tokens: number): number {
  return (tokens / model.promptTokensPerSecond) * 1000 + model.perPromptTokenSquaredMs * tokens * tokens;
}

/** Ms of a full engine's time that one generated token takes, at contexts of this length. */
export function tokenCostMs(model: EngineModel, context: number): number {
  const fits = Math.max(1, Math.floor(model.kvTokens / Math.max(1, context)));
  const batch = Math.min(model.slots, model.prefixCache === 'slots' ? model.slots : fits);
  return iterationsMs(model, { decoding: batch, context: batch * context, prompt: 0, from: 0 }, 1) / batch;
}

/** Requests of these sizes that the engine finishes per second. */
export function requestsPerSecond(model: EngineModel, sizes: readonly RequestSize[]): number {
  if (sizes.length === 0) return 0;
  let context = 0;
  for (const { promptTokens, outputTokens } of sizes) context += promptTokens + outputTokens / 2;
  const tokenMs = tokenCostMs(model, context / sizes.length);
  let totalMs = 0;
  for (const { promptTokens, outputTokens } of sizes) {
    totalMs += promptCostMs(model, promptTokens) + outputTokens * tokenMs;
  }
  return (1000 * sizes.length) / totalMs;
}
