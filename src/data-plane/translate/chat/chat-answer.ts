import type { Usage } from '../../../fleet/settlement.ts';
import { countOf, objectOf, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';
import { ChatBlocks, type Step } from './blocks.ts';

// What other dialects need of a chat completion, whole or in chunks: its blocks in order, why it stopped, what it used. Only the first
// choice counts, since none of those dialects asks for several.

/** Why the model stopped. */
export type Finish = 'stop' | 'length' | 'calls' | 'filter';

export interface ChatUsage {
  readonly prompt: number;
  /** Of the prompt. */
  readonly cached: number;
  readonly completion: number;
  /** Of the completion. */
  readonly reasoning: number;
}

/** How long the engine says it took, as llama.cpp does; 0 where it says nothing. */
export interface ChatTimings {
  readonly promptMs: number;
  readonly completionMs: number;
}

/** An answer that is not all there. Engines end one in the middle too, when they are stopped or fail; no other dialect has a word for that. */
const CUT = new Set(['length', 'abort', 'error']);

const NOTHING_USED: ChatUsage = { prompt: 0, cached: 0, completion: 0, reasoning: 0 };
const NOT_TIMED: ChatTimings = { promptMs: 0, completionMs: 0 };

export class ChatAnswer {
  readonly #hidesReasoning: boolean;
  readonly #blocks = new ChatBlocks();
  #id = '';
  #createdAt: number | null = null;
  #finish: string | null = null;
  #hasCalls = false;
  #stopText: string | null = null;
  #usage: ChatUsage | null = null;
  /** For where the node told no usage: of its timings, else what the router counted. */
  #timedUsage: ChatUsage | null = null;
  #countedUsage: ChatUsage | null = null;
  #timings = NOT_TIMED;

  /** `hidesReasoning`: the client asked for an answer without it; it is paid for all the same. */
  constructor(hidesReasoning = false) {
    this.#hidesReasoning = hidesReasoning;
  }

  /** The node's id of the answer; `''` where it told none. */
  get id(): string {
    return this.#id;
  }

  /** Epoch seconds, as the node told. */
  get createdAt(): number | null {
    return this.#createdAt;
  }

  get finish(): Finish {
    if (this.#finish !== null && CUT.has(this.#finish)) return 'length';
    if (this.#finish === 'content_filter') return 'filter';
    // Some engines say "stop" after calls.
    return this.#hasCalls ? 'calls' : 'stop';
  }

  /** The stop text that ended it, where the engine says which (vLLM, SGLang). */
  get stopText(): string | null {
    return this.#stopText;
  }

  get usage(): ChatUsage {
    return this.#usage ?? this.#timedUsage ?? this.#countedUsage ?? NOTHING_USED;
  }

  get timings(): ChatTimings {
    return this.#timings;
  }

  /** One chunk of a stream. */
  take(chunk: Json): Step[] {
    this.#readHead(chunk);
    const choice = firstChoice(chunk);
    if (choice === null) return [];
    this.#readEnd(choice);
    return this.#noting(this.#blocks.take(objectOf(choice['delta']) ?? completed(choice) ?? {}));
  }

  /** A whole completion; null where it is none. */
  takeWhole(answer: Json): Step[] | null {
    const choice = firstChoice(answer);
    const message = choice && (objectOf(choice['message']) ?? completed(choice));
    if (choice === null || message === null) return null;
    this.#readHead(answer);
    this.#readEnd(choice);
    return this.#noting([...this.#blocks.take(message), ...this.#blocks.end()]);
  }

  /** The stream ended. `counted`: for where the node did not say. */
  end(counted: Usage | null): Step[] {
    this.#countedUsage = counted && {
      prompt: counted.promptTokens ?? 0,
      cached: counted.cachedTokens ?? 0,
      completion: counted.completionTokens ?? 0,
      reasoning: 0,
    };
    return this.#noting(this.#blocks.end());
  }

  #noting(steps: Step[]): Step[] {
    this.#hasCalls ||= steps.some(({ block }) => block.kind === 'call');
    return this.#hidesReasoning ? steps.filter(({ block }) => block.kind !== 'reasoning') : steps;
  }

  #readHead({ id, created, usage, timings }: { readonly [field in string]?: unknown }): void {
    if (this.#id === '') this.#id = textOf(id);
    this.#createdAt ??= countOf(created);
    const told = objectOf(usage);
    if (told) this.#usage = usageOf(told);
    const timed = objectOf(timings);
    if (timed) this.#readTimings(timed);
  }

  #readTimings(timed: Json): void {
    const cached = countOf(timed['cache_n']) ?? 0;
    this.#timedUsage = {
      prompt: cached + (countOf(timed['prompt_n']) ?? 0),
      cached,
      completion: countOf(timed['predicted_n']) ?? 0,
      reasoning: 0,
    };
    this.#timings = {
      promptMs: countOf(timed['prompt_ms']) ?? 0,
      completionMs: countOf(timed['predicted_ms']) ?? 0,
    };
  }

  #readEnd(choice: Json): void {
    const finish = choice['finish_reason'];
    if (typeof finish !== 'string') return;
    this.#finish = finish;
    const stop = choice['stop_reason'] ?? choice['matched_stop'];
    if (typeof stop === 'string') this.#stopText = stop;
  }
}

/** The choice that counts; null where there is none. */
export function firstChoice(answer: Json): Json | null {
  const { choices } = answer;
  if (!Array.isArray(choices)) return null;
  const found: unknown = choices.find((choice: unknown) => (objectOf(choice)?.['index'] ?? 0) === 0);
  return objectOf(found);
}

/** Completions, which know no messages, have text where chat has a message or a delta. */
function completed({ text }: Json): Json | null {
  return typeof text === 'string' ? { content: text } : null;
}

function usageOf(told: Json): ChatUsage {
  const prompt = countOf(told['prompt_tokens']) ?? 0;
  const cached = countOf(objectOf(told['prompt_tokens_details'])?.['cached_tokens']) ?? 0;
  return {
    prompt,
    cached: Math.min(cached, prompt),
    completion: countOf(told['completion_tokens']) ?? 0,
    reasoning: countOf(objectOf(told['completion_tokens_details'])?.['reasoning_tokens']) ?? 0,
  };
}
