import { randomUUID } from 'node:crypto';
import { objectOf, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';

// A chat answer as a sequence of blocks, one after another, as the dialects of typed events tell it. The deltas of chat have no such
// order: pieces of several calls may come interleaved, and text after them. The first block that is not over is told as it
// comes; what belongs to others waits. A block of text is over when another kind begins; a call only when its arguments are a
// whole object, so that nothing of it can come later. Calls in the usual order are told without delay, except that one without
// arguments holds the next until the end.

export type BlockKind = 'reasoning' | 'text' | 'refusal' | 'call';

export interface Block {
  readonly kind: BlockKind;
  /** Of a call, else `''`. */
  readonly id: string;
  /** Of a call, else `''`. */
  readonly name: string;
  /** All of it so far; a call's arguments, as text. */
  readonly text: string;
}

export type Step =
  | { readonly kind: 'open'; readonly block: Block }
  | { readonly kind: 'more'; readonly block: Block; readonly text: string }
  | { readonly kind: 'close'; readonly block: Block };

class OpenBlock implements Block {
  readonly kind: BlockKind;
  id: string;
  name = '';
  text = '';
  /** Not told yet. */
  ahead = '';
  isOpen = false;
  isClosed = false;
  #judgedLength = 0;
  #isObject = false;

  constructor(kind: BlockKind, id = '') {
    this.kind = kind;
    this.id = id;
  }

  add(text: string): void {
    this.text += text;
    this.ahead += text;
  }

  /** Asked again and again while others wait; arguments that did not grow are not parsed again. */
  get isWhole(): boolean {
    if (this.kind !== 'call') return true;
    if (this.#judgedLength !== this.text.length) {
      this.#judgedLength = this.text.length;
      this.#isObject = isObjectText(this.text);
    }
    return this.#isObject;
  }
}

export class ChatBlocks {
  /** The first is the one that is told. */
  readonly #waiting: OpenBlock[] = [];
  readonly #calls = new Map<string, OpenBlock>();
  #lastCall: OpenBlock | null = null;

  /** Takes a delta, or a whole message, which has the same fields. */
  take(delta: Json): Step[] {
    this.#takeText('reasoning', textOf(delta['reasoning_content']) || textOf(delta['reasoning']));
    if (typeof delta['content'] === 'string') this.#takeText('text', delta['content']);
    else if (Array.isArray(delta['content'])) for (const part of delta['content']) this.#takePart(objectOf(part));
    this.#takeText('refusal', textOf(delta['refusal']));
    if (Array.isArray(delta['tool_calls'])) for (const call of delta['tool_calls']) this.#takeCall(objectOf(call));
    return this.#flow(false);
  }

  /** Nothing more comes. */
  end(): Step[] {
    return this.#flow(true);
  }

  #takeText(kind: BlockKind, text: string): void {
    if (text === '') return;
    let last = this.#waiting.at(-1);
    if (last?.kind !== kind) {
      last = new OpenBlock(kind);
      this.#waiting.push(last);
    }
    last.add(text);
  }

  /** Mistral's reasoning models answer in parts. */
  #takePart(part: Json | null): void {
    if (part?.['type'] === 'text') this.#takeText('text', textOf(part['text']));
    const thinking = part?.['thinking'];
    if (!Array.isArray(thinking)) return;
    for (const thought of thinking) this.#takeText('reasoning', textOf(objectOf(thought)?.['text']));
  }

  #takeCall(call: Json | null): void {
    if (call === null) return;
    const asked = objectOf(call['function']);
    const name = textOf(asked?.['name']);
    const given = argumentsOf(asked?.['arguments']);
    const block = this.#callOf(call['index'], textOf(call['id']), name, given);
    if (block.isClosed) return;
    if (block.name === '') block.name = name;
    block.add(given);
  }

  /** Most servers number the calls, some only name them; some number all of them 0, of those some without ids. */
  #callOf(index: unknown, id: string, name: string, given: string): OpenBlock {
    const known =
      typeof index === 'number' ? this.#calls.get(`#${index}`) : id === '' ? this.#lastCall : this.#calls.get(id);
    const isNamedAnew = known && name !== '' && known.name !== '';
    const isAnother = isNamedAnew && (id === '' ? given !== '' && known.isWhole : known.id !== id);
    if (known && !isAnother) return known;
    const block = new OpenBlock('call', id === '' ? `call_${randomUUID()}` : id);
    this.#calls.set(typeof index === 'number' ? `#${index}` : block.id, block);
    this.#lastCall = block;
    this.#waiting.push(block);
    return block;
  }

  #flow(isEnd: boolean): Step[] {
    const steps: Step[] = [];
    for (let block = this.#waiting[0]; block; block = this.#waiting[0]) {
      const mayClose = isEnd || (this.#waiting.length > 1 && block.isWhole);
      if (!block.isOpen) {
        if (block.kind === 'call' && block.name === '' && !mayClose) break;
        block.isOpen = true;
        steps.push({ kind: 'open', block });
      }
      if (block.ahead !== '') {
        steps.push({ kind: 'more', block, text: block.ahead });
        block.ahead = '';
      }
      if (!mayClose) break;
      block.isClosed = true;
      steps.push({ kind: 'close', block });
      this.#waiting.shift();
    }
    return steps;
  }
}

/** Some servers send an object where a text is due. */
function argumentsOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : textOf(value);
}

function isObjectText(text: string): boolean {
  return text.trimEnd().endsWith('}') && parsedArguments(text) !== null;
}

/** A call's arguments; null where they are no JSON object. None at all are an empty one. */
export function parsedArguments(text: string): Json | null {
  if (text.trim() === '') return {};
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
}
