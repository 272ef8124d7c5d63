import { type ToolCall, toldCalls } from '../chat/turns.ts';
import { isUnset, knowsOnly, objectOf, objectsOf, type Objections, optionalText, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';
import { contentWith } from './images.ts';

// Ollama's history as chat's, message for message: both have the same turns. The difference that matters is in tools: Ollama's results name
// the tool, chat's name the call. A call without an id is given one, and a result belongs to the first call of its tool, in the turn
// before it, that has none yet. Ids are made from the place in the history, so that the same history is the same prompt for an
// engine's cache.

const known: ReadonlySet<string> = new Set([
  'role',
  'content',
  'images',
  'thinking',
  'tool_calls',
  'tool_name',
  'tool_call_id',
  'name',
]);

/** The messages of a chat. */
export function readTurns(messages: unknown, objections: Objections): Json[] {
  const calls = new OpenCalls(objections);
  return objectsOf(messages, 'messages', objections).map(([message, at]) => readTurn(message, at, calls, objections));
}

function readTurn(message: Json, at: string, calls: OpenCalls, objections: Objections): Json {
  knowsOnly(message, at, known, objections);
  const { role, images } = message;
  const text = optionalText(message['content'], `${at}.content`, objections);
  if (role === 'user') return { role, content: contentWith(text, images, `${at}.images`, objections) };
  if (!isUnset(images)) objections.unsayable(`${at}.images`, "only a user's message may have images");
  if (role === 'tool') return { role, tool_call_id: calls.answeredBy(message, at), content: text };
  if (textOf(role) === '') objections.malformed(`${at}.role`, 'a string, such as "user"');
  if (role !== 'assistant') return { role, content: text };
  const thought = textOf(message['thinking']);
  return {
    role,
    content: text,
    ...(thought !== '' && { reasoning_content: thought }),
    ...toldCalls(calls.read(message['tool_calls'] ?? [], `${at}.tool_calls`)),
  };
}

class OpenCalls {
  readonly #objections: Objections;
  #count = 0;
  /** Calls of the last turn that have no result yet. */
  #open: readonly ToolCall[] = [];

  constructor(objections: Objections) {
    this.#objections = objections;
  }

  /** The calls of a turn of the assistant's. */
  read(value: unknown, path: string): readonly ToolCall[] {
    const turn = objectsOf(value, path, this.#objections).map(([call, at]) => this.#call(call, at));
    if (turn.length > 0) this.#open = turn;
    return turn;
  }

  /** The id of the call that a tool's result answers. */
  answeredBy(message: Json, at: string): string {
    const id = textOf(message['tool_call_id']);
    const name = textOf(message['tool_name']) || textOf(message['name']);
    const call = this.#open.find((one) => (id === '' ? name === '' || one.name === name : one.id === id));
    this.#open = this.#open.filter((one) => one !== call);
    if (!call && id === '') {
      this.#objections.malformed(`${at}.tool_name`, "a tool that was called in the assistant's message before it");
    }
    return call?.id ?? id;
  }

  #call(call: Json, at: string): ToolCall {
    const asked = objectOf(call['function']) ?? {};
    const name = textOf(asked['name']);
    if (name === '') this.#objections.malformed(`${at}.function.name`, 'the name of a tool');
    const given = asked['arguments'] ?? {};
    this.#count += 1;
    return {
      // Nine letters and digits: the templates of some models take no other id.
      id: textOf(call['id']) || `call${String(this.#count).padStart(5, '0')}`,
      name,
      arguments: typeof given === 'string' ? given : JSON.stringify(given),
    };
  }
}
