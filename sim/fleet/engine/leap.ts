import { iterationsWithin, type EngineModel, type Iteration } from './engine-model.ts';
import type { Job } from './job.ts';

// What an engine does next: one iteration, and how many like it may follow before somebody ends, memory fills or news are
// due. With chunks an iteration's budget of tokens goes to those who decode, one each, then to the oldest prompts; without,
// the oldest prompt has it alone.

/** News of running jobs comes at least this often. */
const MOST_LEAP_MS = 1_000;

interface LeapPlan {
  readonly iteration: Iteration;
  /** Whether those who decode get a token in each iteration. */
  readonly decodes: boolean;
  /** Tokens of each prompt in each iteration. */
  readonly parts: readonly { readonly job: Job; readonly tokens: number }[];
  readonly count: number;
}

/** A plan under way. */
export interface Leap extends LeapPlan {
  readonly factor: number;
  count: number;
  startedAt: number;
  cancel: (() => void) | null;
}

/** Null where there is nothing to do. `room`: tokens that fit in memory; `factor`: how much slower than its model the engine is. */
export function planLeap(
  model: EngineModel,
  prompts: readonly Job[],
  decoding: readonly Job[],
  room: number,
  factor: number,
): LeapPlan | null {
  const atMost = (iteration: Iteration, most: number): number =>
    Math.max(1, iterationsWithin(model, iteration, most, MOST_LEAP_MS / factor));
  const [first] = prompts;
  if (!first) {
    if (decoding.length === 0) return null;
    const iteration = decodingOnly(decoding);
    return { iteration, parts: [], decodes: true, count: atMost(iteration, mostDecodes(decoding, room)) };
  }
  if (model.chunkTokens === null) {
    const iteration = { decoding: 0, context: 0, prompt: first.promptLeft, from: first.context };
    return { iteration, parts: [{ job: first, tokens: first.promptLeft }], decodes: false, count: 1 };
  }
  const budget = Math.max(1, model.chunkTokens - decoding.length);
  const parts: { job: Job; tokens: number }[] = [];
  let left = budget;
  for (const job of prompts) {
    const tokens = Math.min(left, job.promptLeft);
    parts.push({ job, tokens });
    left -= tokens;
    if (left === 0) break;
  }
  const like = parts.length === 1 ? Math.max(1, Math.floor(first.promptLeft / budget)) : 1;
  const most = decoding.length > 0 ? Math.min(like, mostDecodes(decoding, room)) : like;
  const iteration = { ...decodingOnly(decoding), prompt: budget - left, from: first.context };
  return { iteration, parts, decodes: true, count: atMost(iteration, most) };
}

/** An iteration without a prompt. */
export function decodingOnly(decoding: readonly Job[]): Iteration {
  let context = 0;
  for (const job of decoding) context += job.context;
  return { decoding: decoding.length, context, prompt: 0, from: 0 };
}

/** Iterations until the first decoding sequence ends or memory is full. */
function mostDecodes(decoding: readonly Job[], room: number): number {
  let most = Math.floor(room / decoding.length);
  for (const { work, emitted } of decoding) most = Math.min(most, work.outputTokens - emitted);
  return Math.max(1, most);
}
