import { type Faults, isJson, isUnset, listOf, refuseOthers, textField, textOf } from './ollama-fields.ts';
import { contentWith } from './ollama-images.ts';
import type { Json } from './translation.ts';

// Ollama's history as chat's. The difference that matters is in tools: Ollama's results name the tool, chat's name the call. A call
// without an id is given one, and a result belongs to the first call of its tool, in the turn before it, that has none yet. Ids are
// made from the place in the history, so that the same history is the same prompt for an engine's cache.

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

interface OpenCall {
  readonly id: string;
  readonly name: string;
}

/** The messages of a chat; what cannot be said of them is added to `faults`. */
export function chatMessages(messages: readonly unknown[], faults: Faults): Json[] {
  /** Calls of the last turn that have no result yet. */
  let open: OpenCall[] = [];
  let calls = 0;
  return messages.map((message, index): Json => {
    const place = `messages[${index}].`;
    if (!isJson(message)) {
      faults.push({ field: `messages[${index}]`, message: `messages[${index}] must be an object.` });
      return {};
    }
    refuseOthers(message, known, faults, place);
    const role = textOf(message['role']);
    if (role === '') faults.push({ field: `${place}role`, message: `${place}role must be a text, such as "user".` });
    const text = textField(message, 'content', faults, place);
    if (role === 'tool') return { role, tool_call_id: answered(message, place), content: text };
    if (role === 'user') return { role, content: contentWith(text, message['images'], place, faults) };
    if (!isUnset(message['images'])) {
      const field = `${place}images`;
      faults.push({
        field,
        message: `${field} cannot be said to the nodes of this model: put images in a user's message.`,
      });
    }
    if (role !== 'assistant') return { role, content: text };
    const turn = listOf(message['tool_calls']).map((call, nth) => toolCall(call, `${place}tool_calls[${nth}]`));
    if (turn.length > 0) open = turn.map(({ id, name }) => ({ id, name }));
    const thinking = textOf(message['thinking']);
    return {
      role,
      content: text,
      ...(thinking === '' ? {} : { reasoning_content: thinking }),
      ...(turn.length === 0 ? {} : { tool_calls: turn.map(({ told }) => told) }),
    };
  });

  function toolCall(call: unknown, place: string): OpenCall & { readonly told: Json } {
    const asked = isJson(call) && isJson(call['function']) ? call['function'] : {};
    const name = textOf(asked['name']);
    if (name === '') faults.push({ field: place, message: `${place}.function.name must be a text.` });
    const given = asked['arguments'] ?? {};
    calls += 1;
    // Nine letters and digits: the templates of some models take no other id.
    const id = (isJson(call) ? textOf(call['id']) : '') || `call${String(calls).padStart(5, '0')}`;
    const told = { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) };
    return { id, name, told: { id, type: 'function', function: told } };
  }

  /** The id of the call that a tool's result answers. */
  function answered(message: Json, place: string): string {
    const id = textOf(message['tool_call_id']);
    const name = textOf(message['tool_name']) || textOf(message['name']);
    const call = open.find((one) => (id === '' ? name === '' || one.name === name : one.id === id));
    if (call) open = open.filter((one) => one !== call);
    else if (id === '') {
      const field = `${place}tool_name`;
      faults.push({
        field,
        message: `${field} must name a tool that was called in the assistant's message before it.`,
      });
    }
    return call?.id ?? id;
  }
}
