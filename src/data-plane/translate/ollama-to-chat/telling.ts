import type { Usage } from '../../../fleet/settlement.ts';
import { parsedArguments, type Step } from '../chat/blocks.ts';
import { ChatAnswer, firstChoice } from '../chat/chat-answer.ts';
import { objectOf } from '../rules.ts';
import type { AnswerTranslation, Json } from '../translation.ts';

// An answer of OpenAI's chat or completions as Ollama tells one: an object for each piece of text, the last one with `done` and the
// counts. The last one is told when the node's stream has ended, since its counts come after its finish reason. A tool call is told
// whole, with its arguments as an object; those that are no object, cut off by the limit of tokens mostly, are told as text, so
// that nothing said is lost.
//
// Durations are the engine's own (llama.cpp's `timings`), in nanoseconds, else 0: clients take them for speeds, so none are guessed,
// and some clients fail where a number is missing. `created_at` is the engine's too, in whole seconds.

/** One piece of an answer: of a stream, or all of it. */
export interface Piece {
  readonly content: string;
  readonly thinking: string;
  readonly toolCalls: readonly Json[];
}

/** Where an endpoint puts a piece: in `message`, or in `response`. */
export type Shape = (piece: Piece) => Json;

export interface Wanted {
  /** As the client wrote it. */
  readonly model: unknown;
  readonly shape: Shape;
  /** The client asked the model not to think, which not every engine can have it do. */
  readonly hidesThinking: boolean;
}

const nothing: Piece = { content: '', thinking: '', toolCalls: [] };

export class OllamaTelling implements AnswerTranslation {
  readonly #wanted: Wanted;
  readonly #chat: ChatAnswer;
  #calls = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#chat = new ChatAnswer(wanted.hidesThinking);
  }

  whole(answer: Json): Json | null {
    const steps = this.#chat.takeWhole(answer);
    if (steps === null) return null;
    return { ...this.#told(this.#pieceOf(steps)), ...this.#ending(), ...logprobsOf(answer) };
  }

  event(event: Json): readonly Json[] {
    return this.#more(this.#chat.take(event), logprobsOf(event));
  }

  end(usage: Usage | null): readonly Json[] {
    const rest = this.#more(this.#chat.end(usage), {});
    return [...rest, { ...this.#told(nothing), ...this.#ending() }];
  }

  #more(steps: readonly Step[], logprobs: Json): readonly Json[] {
    const piece = this.#pieceOf(steps);
    const isNothing = piece.content === '' && piece.thinking === '' && piece.toolCalls.length === 0;
    return isNothing ? [] : [{ ...this.#told(piece), done: false, ...logprobs }];
  }

  #pieceOf(steps: readonly Step[]): Piece {
    let content = '';
    let thinking = '';
    const toolCalls: Json[] = [];
    for (const step of steps) {
      const { kind, id, name, text } = step.block;
      if (kind === 'call') {
        if (step.kind !== 'close') continue;
        const given = parsedArguments(text);
        if (given === null) content += `${name}(${text}`;
        else {
          toolCalls.push({ id, function: { index: this.#calls, name, arguments: given } });
          this.#calls += 1;
        }
      } else if (step.kind === 'more') {
        if (kind === 'reasoning') thinking += step.text;
        else content += step.text;
      }
    }
    return { content, thinking, toolCalls };
  }

  #told(piece: Piece): Json {
    return toldIn(this.#wanted, this.#chat, piece);
  }

  #ending(): Json {
    const { usage, timings, finish } = this.#chat;
    const prompt = nanoseconds(timings.promptMs);
    const completion = nanoseconds(timings.completionMs);
    return {
      done: true,
      // What clients know besides: a call of a tool is a stop, as in Ollama.
      done_reason: finish === 'length' ? finish : finish === 'filter' ? 'content_filter' : 'stop',
      total_duration: prompt + completion,
      load_duration: 0,
      prompt_eval_count: usage.prompt,
      prompt_eval_duration: prompt,
      eval_count: usage.completion,
      eval_duration: completion,
    };
  }
}

/** The answer to a call that only had the model loaded: nothing of what the engine said to find out is told. */
export class LoadTelling implements AnswerTranslation {
  readonly #wanted: Wanted;
  readonly #chat = new ChatAnswer();

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  whole(answer: Json): Json | null {
    return this.#chat.takeWhole(answer) && this.#told();
  }

  event(event: Json): readonly Json[] {
    this.#chat.take(event);
    return [];
  }

  end(): readonly Json[] {
    return [this.#told()];
  }

  #told(): Json {
    return { ...toldIn(this.#wanted, this.#chat, nothing), done: true, done_reason: 'load' };
  }
}

function toldIn({ model, shape }: Wanted, { createdAt }: ChatAnswer, piece: Piece): Json {
  return { model, created_at: timeOf(createdAt), ...shape(piece) };
}

function logprobsOf(answer: Json): Json {
  const logprobs = objectOf(firstChoice(answer)?.['logprobs'])?.['content'];
  return Array.isArray(logprobs) && logprobs.length > 0 ? { logprobs } : {};
}

/** Epoch seconds as Ollama writes a time; the epoch itself where the engine told none, since clients parse it. */
function timeOf(created: number | null): string {
  return new Date(created !== null && created < 8.64e12 ? created * 1000 : 0).toISOString();
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
