import type { Usage } from '../../fleet/settlement.ts';
import { FieldCursor } from './json-fields.ts';

// How tokens are counted: from the engine's `usage` object (OpenAI's, of chat or of responses, or Anthropic's), else from
// its own timings (llama.cpp's `timings`, Ollama's counts), else one per delta that carried text, marked as estimated. An
// engine that batches several tokens into one delta, or splits one, makes the estimate wrong by that factor.
//
// Later numbers replace earlier ones, field by field: Anthropic tells the prompt at the start and the completion at the
// end. The completion told at the start is ignored, since it is only a first number that grows.

/** A plain non-negative integer in JSON, or null for anything else. */
export function readCount(bytes: Buffer, start: number, end: number): number | null {
  if (end - start < 1 || end - start > 15) return null;
  let value = 0;
  for (let index = start; index < end; index += 1) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}

// Used within one call only.
const fields = new FieldCursor();
const details = new FieldCursor();

export class UsageTally {
  #deltas = 0;
  #prompt: number | null = null;
  #completion: number | null = null;
  #cached: number | null = null;
  /** Anthropic counts what it read from or wrote to its cache apart from `input_tokens`. */
  #promptBeside = 0;
  #timedPrompt: number | null = null;
  #timedCompletion: number | null = null;
  #timedCached: number | null = null;

  /** Some text of one choice passed. */
  countDelta(): void {
    this.#deltas += 1;
  }

  get sawContent(): boolean {
    return this.#deltas > 0;
  }

  /** Deltas that carried text. */
  get deltas(): number {
    return this.#deltas;
  }

  /** A `usage` object. `atStart`: the completion it tells is not final. Anything but an object is ignored. */
  readUsage(bytes: Buffer, start: number, end: number, atStart: boolean): void {
    if (!fields.open(bytes, start, end) || !fields.isObject) return;
    let read: number | null = null;
    let written: number | null = null;
    while (fields.next()) {
      if (fields.keyIs('prompt_tokens') || fields.keyIs('input_tokens')) {
        this.#prompt = this.#count(bytes) ?? this.#prompt;
      } else if (fields.keyIs('completion_tokens') || fields.keyIs('output_tokens')) {
        if (!atStart) this.#completion = this.#count(bytes) ?? this.#completion;
      } else if (fields.keyIs('prompt_tokens_details') || fields.keyIs('input_tokens_details')) {
        this.#readDetails(bytes);
      } else if (fields.keyIs('cache_read_input_tokens')) read = this.#count(bytes);
      else if (fields.keyIs('cache_creation_input_tokens')) written = this.#count(bytes);
    }
    if (read !== null || written !== null) {
      this.#promptBeside = (read ?? 0) + (written ?? 0);
      this.#cached = read ?? this.#cached;
    }
  }

  #readDetails(bytes: Buffer): void {
    if (!details.open(bytes, fields.valueStart, fields.valueEnd) || !details.isObject) return;
    while (details.next()) {
      if (details.keyIs('cached_tokens')) {
        this.#cached = readCount(bytes, details.valueStart, details.valueEnd) ?? this.#cached;
      }
    }
  }

  /** llama.cpp's `timings`: `prompt_n` counts only what was computed, `cache_n` what was found in its cache. */
  readTimings(bytes: Buffer, start: number, end: number): void {
    if (!fields.open(bytes, start, end) || !fields.isObject) return;
    let computed: number | null = null;
    while (fields.next()) {
      if (fields.keyIs('prompt_n')) computed = this.#count(bytes);
      else if (fields.keyIs('predicted_n')) this.#timedCompletion = this.#count(bytes);
      else if (fields.keyIs('cache_n')) this.#timedCached = this.#count(bytes);
    }
    if (computed !== null) this.#timedPrompt = computed + (this.#timedCached ?? 0);
  }

  /** Ollama's `prompt_eval_count`. */
  tellPrompt(tokens: number | null): void {
    this.#timedPrompt = tokens ?? this.#timedPrompt;
  }

  /** Ollama's `eval_count`. */
  tellCompletion(tokens: number | null): void {
    this.#timedCompletion = tokens ?? this.#timedCompletion;
  }

  /** Null where nothing was told and nothing counted. */
  usage(): Usage | null {
    const promptTokens = this.#prompt === null ? this.#timedPrompt : this.#prompt + this.#promptBeside;
    const told = this.#completion ?? this.#timedCompletion;
    const estimated = told === null && this.#deltas > 0;
    const completionTokens = estimated ? this.#deltas : told;
    if (promptTokens === null && completionTokens === null) return null;
    return { promptTokens, completionTokens, cachedTokens: this.#cached ?? this.#timedCached, estimated };
  }

  #count(bytes: Buffer): number | null {
    return readCount(bytes, fields.valueStart, fields.valueEnd);
  }
}
