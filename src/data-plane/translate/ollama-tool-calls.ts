import { isJson, listOf, textOf } from './ollama-fields.ts';
import type { Json } from './translation.ts';

// Ollama tells a tool call whole, with its arguments as an object; chat tells it in fragments of JSON text. They are gathered until the
// answer has finished. Arguments that are no object then, cut off by the limit of tokens mostly, cannot be told as a call.

/** As Ollama tells it. */
export type ToolCall = Json;

interface Gathered {
  id: string;
  name: string;
  text: string;
}

export class ToolCallFragments {
  #calls: Gathered[] = [];
  #byIndex = new Map<number, Gathered>();
  #told = 0;

  /** `tool_calls` of a delta or of a message; anything else is none. */
  add(fragments: unknown): void {
    for (const [position, fragment] of listOf(fragments).entries()) {
      if (!isJson(fragment)) continue;
      const index = typeof fragment['index'] === 'number' ? fragment['index'] : position;
      const id = textOf(fragment['id']);
      const asked = isJson(fragment['function']) ? fragment['function'] : {};
      const call = this.#at(index, id);
      call.name ||= textOf(asked['name']);
      const { arguments: given } = asked;
      call.text += isJson(given) ? JSON.stringify(given) : textOf(given);
    }
  }

  /** The calls gathered since the last time; `torn` is the text of those that are none. */
  take(): { readonly toolCalls: readonly ToolCall[]; readonly torn: string } {
    const toolCalls: ToolCall[] = [];
    let torn = '';
    for (const { id, name, text } of this.#calls) {
      const given = objectIn(text);
      if (given === null) {
        torn += `${name}(${text}`;
        continue;
      }
      toolCalls.push({ ...(id === '' ? {} : { id }), function: { index: this.#told, name, arguments: given } });
      this.#told += 1;
    }
    this.#calls = [];
    this.#byIndex.clear();
    return { toolCalls, torn };
  }

  /** Some engines give every call the same index; a new id is a new call. */
  #at(index: number, id: string): Gathered {
    const known = this.#byIndex.get(index);
    if (known && (id === '' || known.id === '' || known.id === id)) {
      known.id ||= id;
      return known;
    }
    const call = { id, name: '', text: '' };
    this.#calls.push(call);
    this.#byIndex.set(index, call);
    return call;
  }
}

function objectIn(text: string): Json | null {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : null;
  } catch {
    return null;
  }
}
