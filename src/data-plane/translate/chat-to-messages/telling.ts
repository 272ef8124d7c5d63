import { randomUUID } from 'node:crypto';
import type { Usage } from '../../../fleet/settlement.ts';
import { countOf, objectOf, objectsOf, Objections, textOf } from '../rules.ts';
import type { AnswerTranslation, Json } from '../translation.ts';

// Anthropic's message as a chat completion. What was read from its cache or written to it is part of the prompt in chat's count.

export interface Told {
  readonly model: string;
  /** The client asked for a last chunk with the usage. */
  readonly includesUsage: boolean;
  /** Epoch seconds; Anthropic tells no time. */
  readonly createdAt: number;
}

const finishes: Readonly<Record<string, string>> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

export class ChatTelling implements AnswerTranslation {
  readonly #told: Told;
  #id = '';
  #usage: Json = {};
  #finish: string | null = null;
  /** Calls begun. */
  #calls = 0;
  /** Arguments of the open call came. */
  #hasArguments = true;

  constructor(told: Told) {
    this.#told = told;
  }

  whole(answer: Json): Json | null {
    if (answer['type'] !== 'message' || !Array.isArray(answer['content'])) return null;
    const blocks = objectsOf(answer['content'], 'content', new Objections('', '')).map(([block]) => block);
    const texts = (type: string, field: string): string =>
      blocks.map((block) => (block['type'] === type ? textOf(block[field]) : '')).join('');
    const calls = blocks.filter(({ type }) => type === 'tool_use');
    const reasoning = texts('thinking', 'thinking');
    const content = texts('text', 'text');
    this.#readUsage(answer['usage']);
    this.#id = textOf(answer['id']);
    const message = {
      role: 'assistant',
      content: content === '' && calls.length > 0 ? null : content,
      refusal: null,
      ...(reasoning !== '' && { reasoning_content: reasoning }),
      ...(calls.length > 0 && { tool_calls: calls.map(wholeCall) }),
    };
    const choice = { index: 0, message, logprobs: null, finish_reason: finishOf(answer['stop_reason']) };
    return { ...this.#head('chat.completion'), choices: [choice], usage: this.#chatUsage() };
  }

  event(event: Json): Json[] {
    switch (event['type']) {
      case 'message_start': {
        const message = objectOf(event['message']) ?? {};
        this.#id = textOf(message['id']);
        this.#readUsage(message['usage']);
        return [this.#chunk({ role: 'assistant', content: '' })];
      }
      case 'content_block_start':
        return this.#open(objectOf(event['content_block']) ?? {});
      case 'content_block_delta':
        return this.#delta(objectOf(event['delta']) ?? {});
      case 'content_block_stop': {
        // Clients parse the arguments, and nothing is no JSON.
        const isBare = !this.#hasArguments;
        this.#hasArguments = true;
        return isBare ? [this.#chunk(this.#callPiece({ function: { arguments: '{}' } }))] : [];
      }
      case 'message_delta': {
        this.#readUsage(event['usage']);
        const reason = objectOf(event['delta'])?.['stop_reason'];
        if (this.#finish !== null || typeof reason !== 'string') return [];
        this.#finish = finishOf(reason);
        return [this.#chunk({}, this.#finish)];
      }
      default:
        return [];
    }
  }

  end(usage: Usage | null): Json[] {
    const last = this.#finish === null ? [this.#chunk({}, 'stop')] : [];
    if (!this.#told.includesUsage) return last;
    const counted = Object.keys(this.#usage).length > 0 ? this.#chatUsage() : countedUsage(usage);
    return [...last, { ...this.#head('chat.completion.chunk'), choices: [], usage: counted }];
  }

  #open(block: Json): Json[] {
    if (block['type'] === 'text' && textOf(block['text']) !== '') return [this.#chunk({ content: block['text'] })];
    if (block['type'] !== 'tool_use') return [];
    this.#calls += 1;
    this.#hasArguments = false;
    const { id, name } = block;
    return [this.#chunk(this.#callPiece({ id, type: 'function', function: { name, arguments: '' } }))];
  }

  #delta(delta: Json): Json[] {
    switch (delta['type']) {
      case 'text_delta':
        return [this.#chunk({ content: textOf(delta['text']) })];
      case 'thinking_delta':
        return [this.#chunk({ reasoning_content: textOf(delta['thinking']) })];
      case 'input_json_delta': {
        const piece = textOf(delta['partial_json']);
        if (piece === '') return [];
        this.#hasArguments = true;
        return [this.#chunk(this.#callPiece({ function: { arguments: piece } }))];
      }
      default:
        return [];
    }
  }

  #callPiece(piece: Json): Json {
    return { tool_calls: [{ index: this.#calls - 1, ...piece }] };
  }

  #chunk(delta: Json, finish: string | null = null): Json {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish };
    return { ...this.#head('chat.completion.chunk'), choices: [choice] };
  }

  #head(object: string): Json {
    if (this.#id === '') this.#id = randomUUID();
    return { id: `chatcmpl-${this.#id}`, object, created: this.#told.createdAt, model: this.#told.model };
  }

  /** Later numbers replace earlier ones, field by field. */
  #readUsage(told: unknown): void {
    const counts = Object.entries(objectOf(told) ?? {}).filter(([, value]) => countOf(value) !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(counts) };
  }

  #chatUsage(): Json {
    const count = (field: string): number => countOf(this.#usage[field]) ?? 0;
    const cached = count('cache_read_input_tokens');
    const prompt = count('input_tokens') + cached + count('cache_creation_input_tokens');
    return usageObject(prompt, cached, count('output_tokens'));
  }
}

function finishOf(reason: unknown): string {
  return typeof reason === 'string' && Object.hasOwn(finishes, reason) ? (finishes[reason] ?? 'stop') : 'stop';
}

function wholeCall({ id, name, input }: Json): Json {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function countedUsage(usage: Usage | null): Json {
  return usageObject(usage?.promptTokens ?? 0, usage?.cachedTokens ?? 0, usage?.completionTokens ?? 0);
}

function usageObject(prompt: number, cached: number, completion: number): Json {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}
