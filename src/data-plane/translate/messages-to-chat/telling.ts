import { randomUUID } from 'node:crypto';
import type { Usage } from '../../../fleet/settlement.ts';
import { type Block, parsedArguments, type Step } from '../chat/blocks.ts';
import { ChatAnswer, type ChatUsage, type Finish } from '../chat/chat-answer.ts';
import type { AnswerTranslation, Json } from '../translation.ts';

// A chat answer as Anthropic's message. What the prompt used is known only at the end there, so `message_start` says 0 and
// `message_delta` says it all, where its clients look again. Thinking carries an empty signature: only Anthropic can sign, and
// only Anthropic checks.

export interface Wanted {
  readonly model: string;
  readonly stopTexts: readonly string[];
  /** The client asked for an answer without its thinking. */
  readonly hidesThinking: boolean;
}

const reasons: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  calls: 'tool_use',
  filter: 'refusal',
};

export class MessageTelling implements AnswerTranslation {
  readonly #wanted: Wanted;
  readonly #chat: ChatAnswer;
  #hasStarted = false;
  #hasRefused = false;
  /** Of the block that is open, or was last. */
  #index = -1;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#chat = new ChatAnswer(wanted.hidesThinking);
  }

  whole(answer: Json): Json | null {
    const steps = this.#chat.takeWhole(answer);
    if (steps === null) return null;
    const blocks = steps.flatMap(({ kind, block }) => (kind === 'close' ? [block] : []));
    this.#noteRefusal(blocks);
    return { ...this.#message(blocks.map(wholeBlock)), ...this.#ending(), usage: usageOf(this.#chat.usage) };
  }

  event(event: Json): Json[] {
    const steps = this.#chat.take(event);
    return [...this.#start(), ...this.#tellAll(steps)];
  }

  end(usage: Usage | null): Json[] {
    const steps = this.#chat.end(usage);
    return [
      ...this.#start(),
      ...this.#tellAll(steps),
      { type: 'message_delta', delta: this.#ending(), usage: usageOf(this.#chat.usage) },
      { type: 'message_stop' },
    ];
  }

  #start(): Json[] {
    if (this.#hasStarted) return [];
    this.#hasStarted = true;
    const unended = { stop_reason: null, stop_sequence: null, usage: usageOf(this.#chat.usage) };
    return [{ type: 'message_start', message: { ...this.#message([]), ...unended } }];
  }

  #message(content: readonly Json[]): Json {
    const id = this.#chat.id.replace(/^chatcmpl-/, '') || randomUUID();
    return { id: `msg_${id}`, type: 'message', role: 'assistant', model: this.#wanted.model, content };
  }

  #ending(): Json {
    const { stopText, finish } = this.#chat;
    const reason = this.#hasRefused && finish === 'stop' ? 'refusal' : reasons[finish];
    const isOurs = finish === 'stop' && stopText !== null && this.#wanted.stopTexts.includes(stopText);
    return isOurs
      ? { stop_reason: 'stop_sequence', stop_sequence: stopText }
      : { stop_reason: reason, stop_sequence: null };
  }

  #tellAll(steps: readonly Step[]): Json[] {
    this.#noteRefusal(steps.map(({ block }) => block));
    return steps.flatMap((step) => this.#tell(step));
  }

  #tell(step: Step): Json[] {
    switch (step.kind) {
      case 'open':
        this.#index += 1;
        return [{ type: 'content_block_start', index: this.#index, content_block: emptyBlock(step.block) }];
      case 'more':
        return [{ type: 'content_block_delta', index: this.#index, delta: deltaOf(step.block, step.text) }];
      case 'close': {
        const stop = { type: 'content_block_stop', index: this.#index };
        if (step.block.kind !== 'reasoning') return [stop];
        const signature = { type: 'signature_delta', signature: '' };
        return [{ type: 'content_block_delta', index: this.#index, delta: signature }, stop];
      }
    }
  }

  #noteRefusal(blocks: readonly Block[]): void {
    this.#hasRefused ||= blocks.some(({ kind }) => kind === 'refusal');
  }
}

function emptyBlock({ kind, id, name }: Block): Json {
  if (kind === 'reasoning') return { type: 'thinking', thinking: '', signature: '' };
  return kind === 'call' ? { type: 'tool_use', id, name, input: {} } : { type: 'text', text: '' };
}

function deltaOf({ kind }: Block, text: string): Json {
  if (kind === 'reasoning') return { type: 'thinking_delta', thinking: text };
  return kind === 'call' ? { type: 'input_json_delta', partial_json: text } : { type: 'text_delta', text };
}

/** Arguments that are no object, as a cut answer leaves them, are told under the name that Anthropic gives for that. */
function wholeBlock(block: Block): Json {
  const { kind, text } = block;
  if (kind === 'reasoning') return { type: 'thinking', thinking: text, signature: '' };
  if (kind !== 'call') return { type: 'text', text };
  return { ...emptyBlock(block), input: parsedArguments(text) ?? { INVALID_JSON: text } };
}

function usageOf({ prompt, cached, completion }: ChatUsage): Json {
  return {
    input_tokens: prompt - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: completion,
  };
}
