import { randomUUID } from 'node:crypto';
import type { Usage } from '../../../fleet/settlement.ts';
import type { Block, BlockKind, Step } from '../chat/blocks.ts';
import { ChatAnswer } from '../chat/chat-answer.ts';
import type { AnswerTranslation, Json } from '../translation.ts';
import { customInput, type ToolName, toolNames } from './tool-names.ts';
import { endedResponse, startedResponse, whyIncomplete } from './response-object.ts';

// A chat answer as a response. Every block of it is an item: text and refusals a message each, calls and reasoning their own. Reasoning is
// told as it is, under the names that OpenAI gives for models whose reasoning is open (`reasoning_text`).

type Status = 'in_progress' | 'completed' | 'incomplete';

const idPrefixes: Readonly<Record<BlockKind, string>> = { reasoning: 'rs', text: 'msg', refusal: 'msg', call: 'fc' };

/** The names of a block's events, and of the field that holds all of it. */
const eventNames: Readonly<Record<BlockKind, readonly [string, string]>> = {
  reasoning: ['response.reasoning_text', 'text'],
  text: ['response.output_text', 'text'],
  refusal: ['response.refusal', 'refusal'],
  call: ['response.function_call_arguments', 'arguments'],
};

export class ResponseTelling implements AnswerTranslation {
  readonly #asked: Json;
  readonly #tools: ReadonlyMap<string, ToolName>;
  readonly #chat = new ChatAnswer();
  #id = '';
  #sequence = 0;
  /** Finished items. */
  readonly #output: Json[] = [];

  constructor(asked: Json) {
    this.#asked = asked;
    this.#tools = toolNames(asked['tools']);
  }

  whole(answer: Json): Json | null {
    const steps = this.#chat.takeWhole(answer);
    if (steps === null) return null;
    this.#name();
    const blocks = steps.flatMap(({ kind, block }) => (kind === 'close' ? [block] : []));
    for (const block of blocks) {
      this.#output.push(this.#item(block, this.#endOf(block === blocks.at(-1)), block.text));
    }
    return endedResponse(this.#asked, this.#id, this.#chat, this.#output);
  }

  event(event: Json): Json[] {
    const steps = this.#chat.take(event);
    return [...this.#start(), ...steps.flatMap((step) => this.#tell(step, false))];
  }

  end(usage: Usage | null): Json[] {
    const steps = this.#chat.end(usage);
    const last = steps.at(-1);
    const events = [...this.#start(), ...steps.flatMap((step) => this.#tell(step, step === last))];
    const response = endedResponse(this.#asked, this.#id, this.#chat, this.#output);
    return [...events, this.#numbered({ type: `response.${String(response['status'])}`, response })];
  }

  #name(): void {
    this.#id = `resp_${this.#chat.id.replace(/^chatcmpl-/, '') || randomUUID()}`;
  }

  #start(): Json[] {
    if (this.#id !== '') return [];
    this.#name();
    const response = startedResponse(this.#asked, this.#id, this.#chat);
    return ['response.created', 'response.in_progress'].map((type) => this.#numbered({ type, response }));
  }

  #tell(step: Step, isLast: boolean): Json[] {
    const { kind, block } = step;
    if (this.#toolOf(block).isCustom) return this.#tellCustom(step, isLast);
    const [name, field] = eventNames[block.kind];
    const index = { output_index: this.#output.length };
    const where = { item_id: this.#itemId(block), ...index, ...(block.kind !== 'call' && { content_index: 0 }) };
    // OpenAI's own events of text have it, and clients take it for given.
    const logprobs = block.kind === 'text' && { logprobs: [] };
    switch (kind) {
      case 'open':
        return this.#all(
          { type: 'response.output_item.added', ...index, item: this.#item(block, 'in_progress', null) },
          block.kind !== 'call' && { type: 'response.content_part.added', ...where, part: partOf(block.kind, '') },
        );
      case 'more':
        return this.#all({ type: `${name}.delta`, ...where, delta: step.text, ...logprobs });
      case 'close': {
        const item = this.#item(block, this.#endOf(isLast), block.text);
        this.#output.push(item);
        return this.#all(
          {
            type: `${name}.done`,
            ...where,
            [field]: block.text,
            ...logprobs,
            ...(block.kind === 'call' && { name: this.#toolOf(block).name }),
          },
          block.kind !== 'call' && {
            type: 'response.content_part.done',
            ...where,
            part: partOf(block.kind, block.text),
          },
          { type: 'response.output_item.done', ...index, item },
        );
      }
    }
  }

  /** The text of a custom tool stands in an object, so it is known only when that is whole. */
  #tellCustom({ kind, block }: Step, isLast: boolean): Json[] {
    const index = { output_index: this.#output.length };
    const where = { item_id: this.#itemId(block), ...index };
    if (kind === 'more') return [];
    if (kind === 'open') {
      return this.#all({ type: 'response.output_item.added', ...index, item: this.#item(block, 'in_progress', null) });
    }
    const item = this.#item(block, this.#endOf(isLast), block.text);
    const input = customInput(block.text);
    this.#output.push(item);
    return this.#all(
      { type: 'response.custom_tool_call_input.delta', ...where, delta: input },
      { type: 'response.custom_tool_call_input.done', ...where, input },
      { type: 'response.output_item.done', ...index, item },
    );
  }

  /** The tool of a call, as the client offered it. */
  #toolOf({ kind, name }: Block): ToolName {
    const tool = kind === 'call' ? this.#tools.get(name) : undefined;
    return tool ?? { namespace: '', name, isCustom: false };
  }

  /** The last item of an answer that was cut is cut. */
  #endOf(isLast: boolean): Status {
    return isLast && whyIncomplete(this.#chat.finish) !== null ? 'incomplete' : 'completed';
  }

  /** `text`: null where nothing of it was told yet. */
  #item(block: Block, status: Status, text: string | null): Json {
    const id = this.#itemId(block);
    const content = text === null ? [] : [partOf(block.kind, text)];
    switch (block.kind) {
      case 'call': {
        const { namespace, name, isCustom } = this.#toolOf(block);
        const called = { call_id: block.id, ...(namespace !== '' && { namespace }), name };
        if (isCustom) return { id, type: 'custom_tool_call', status, ...called, input: customInput(text ?? '') };
        return { id, type: 'function_call', status, ...called, arguments: text ?? '' };
      }
      case 'reasoning':
        return { id, type: 'reasoning', status, summary: [], content, encrypted_content: null };
      case 'text':
      case 'refusal':
        return { id, type: 'message', status, role: 'assistant', content };
    }
  }

  /** Of the item that is open: as many came before it as are finished. */
  #itemId(block: Block): string {
    const prefix = this.#toolOf(block).isCustom ? 'ctc' : idPrefixes[block.kind];
    return `${prefix}_${this.#id.slice('resp_'.length)}_${this.#output.length}`;
  }

  #all(...events: readonly (Json | false)[]): Json[] {
    return events.flatMap((event) => (event ? [this.#numbered(event)] : []));
  }

  #numbered(event: Json): Json {
    const numbered = { ...event, sequence_number: this.#sequence };
    this.#sequence += 1;
    return numbered;
  }
}

function partOf(kind: BlockKind, text: string): Json {
  if (kind === 'reasoning') return { type: 'reasoning_text', text };
  if (kind === 'refusal') return { type: 'refusal', refusal: text };
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}
