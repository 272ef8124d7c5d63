import type { Usage } from '../../fleet/settlement.ts';
import { isJson, listOf, textOf } from './ollama-fields.ts';
import { type ToolCall, ToolCallFragments } from './ollama-tool-calls.ts';
import type { AnswerTranslation, Json } from './translation.ts';

// An answer of OpenAI's chat or completions as Ollama tells one: an object for each piece of text, the last one with `done` and the
// counts. The last one is told when the node's stream has ended, since its counts come after its finish reason.
//
// Durations are the engine's own (llama.cpp's `timings`), in nanoseconds, else 0: clients take them for speeds, so none are guessed,
// and some clients fail where a number is missing. `created_at` is the engine's too, in whole seconds.

/** One piece of an answer: of a stream, or all of it. */
export interface Piece {
  readonly content: string;
  readonly thinking: string;
  readonly toolCalls: readonly ToolCall[];
}

/** Where an endpoint puts a piece: in `message`, or in `response`. */
export type Shape = (piece: Piece) => Json;

/** The answer of an endpoint that has this shape, under the model's name as the client wrote it. */
export function ollamaAnswer(model: string, shape: Shape): AnswerTranslation {
  return new ChatAnswer(model, shape);
}

/** The answer to a call that only had the model loaded: nothing of what the engine said to find out is told. */
export function loadedAnswer(model: string, shape: Shape): AnswerTranslation {
  let created: unknown = null;
  const told = (): Json => ({
    model,
    created_at: timeOf(created),
    ...shape(nothing),
    done: true,
    done_reason: 'load',
  });
  const note = (answer: Json): void => {
    created ??= answer['created'];
  };
  return {
    whole: (answer) => {
      note(answer);
      return Array.isArray(answer['choices']) ? told() : null;
    },
    event: (event) => {
      note(event);
      return [];
    },
    end: () => [told()],
  };
}

const nothing: Piece = { content: '', thinking: '', toolCalls: [] };

class ChatAnswer implements AnswerTranslation {
  readonly #model: string;
  readonly #shape: Shape;
  readonly #calls = new ToolCallFragments();
  #created: unknown = null;
  #finish = '';
  #usage: Json = {};
  #timings: Json = {};

  constructor(model: string, shape: Shape) {
    this.#model = model;
    this.#shape = shape;
  }

  whole(answer: Json): Json | null {
    const choice = this.#read(answer);
    if (choice === null) return null;
    const piece = this.#pieceOf(isJson(choice['message']) ? choice['message'] : choice);
    return this.#told(withCalls(piece, this.#calls), choice, this.#last(null));
  }

  event(event: Json): readonly Json[] {
    const choice = this.#read(event);
    if (choice === null) return [];
    const piece = this.#pieceOf(isJson(choice['delta']) ? choice['delta'] : choice);
    // Which calls there are is certain only when the choice has finished.
    const ready = this.#finish === '' ? piece : withCalls(piece, this.#calls);
    return isNothing(ready) ? [] : [this.#told(ready, choice, { done: false })];
  }

  end(usage: Usage | null): readonly Json[] {
    const rest = withCalls(nothing, this.#calls);
    const last = this.#told(nothing, {}, this.#last(usage));
    return isNothing(rest) ? [last] : [this.#told(rest, {}, { done: false }), last];
  }

  /** Notes what an object says of the whole answer; gives its only choice, null where it has none. */
  #read(object: Json): Json | null {
    this.#created ??= object['created'];
    if (isJson(object['usage'])) this.#usage = object['usage'];
    if (isJson(object['timings'])) this.#timings = object['timings'];
    const [choice] = listOf(object['choices']);
    if (!isJson(choice)) return null;
    this.#finish = textOf(choice['finish_reason']) || this.#finish;
    return choice;
  }

  #pieceOf(said: Json): Piece {
    this.#calls.add(said['tool_calls']);
    return {
      // `text` is what completions call it.
      content: textOf(said['content']) || textOf(said['text']),
      // Engines differ in the name; those that send both send the same.
      thinking: textOf(said['reasoning_content']) || textOf(said['reasoning']),
      toolCalls: [],
    };
  }

  #told(piece: Piece, choice: Json, end: Json): Json {
    const logprobs = isJson(choice['logprobs']) ? listOf(choice['logprobs']['content']) : [];
    return {
      model: this.#model,
      created_at: timeOf(this.#created),
      ...this.#shape(piece),
      ...end,
      ...(logprobs.length === 0 ? {} : { logprobs }),
    };
  }

  /** `counted` is what the router counted where the engine told nothing. */
  #last(counted: Usage | null): Json {
    const timings = this.#timings;
    const prompt = nanoseconds(timings['prompt_ms']);
    const completion = nanoseconds(timings['predicted_ms']);
    const timedPrompt = count(timings['prompt_n']) + count(timings['cache_n']);
    return {
      done: true,
      // What clients know besides: a call of a tool is a stop, as in Ollama.
      done_reason: this.#finish === 'length' || this.#finish === 'content_filter' ? this.#finish : 'stop',
      total_duration: prompt + completion,
      load_duration: 0,
      prompt_eval_count: count(this.#usage['prompt_tokens']) || timedPrompt || (counted?.promptTokens ?? 0),
      prompt_eval_duration: prompt,
      eval_count:
        count(this.#usage['completion_tokens']) || count(timings['predicted_n']) || (counted?.completionTokens ?? 0),
      eval_duration: completion,
    };
  }
}

/** The piece with the calls that were gathered; those that are none after all are text, so that nothing said is lost. */
function withCalls(piece: Piece, calls: ToolCallFragments): Piece {
  const { toolCalls, torn } = calls.take();
  return { ...piece, content: piece.content + torn, toolCalls };
}

function isNothing({ content, thinking, toolCalls }: Piece): boolean {
  return content === '' && thinking === '' && toolCalls.length === 0;
}

/** Epoch seconds as Ollama writes a time; the epoch itself where the engine told none, since clients parse it. */
function timeOf(created: unknown): string {
  const isTime = typeof created === 'number' && Math.abs(created) < 8.64e12;
  return new Date(isTime ? created * 1000 : 0).toISOString();
}

function nanoseconds(ms: unknown): number {
  return typeof ms === 'number' && ms > 0 ? Math.round(ms * 1e6) : 0;
}

function count(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
