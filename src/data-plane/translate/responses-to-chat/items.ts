import { ChatTurns, type Part } from '../chat/turns.ts';
import { knowsOnly, type Objections, objectOf, objectsOf, requiredText, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';
import { CUSTOM_INPUT, flatName } from './tool-names.ts';

// The input's items as turns of a chat: an assistant's text, its reasoning and its calls are items of their own there and one turn here.
// Developers' messages are system text, since few chat templates know that role.

/** `parsed…` is what OpenAI's own client adds to items that its users send back. */
const known = {
  message: new Set(['type', 'role', 'content', 'id', 'status', 'phase']),
  function_call: new Set(['type', 'id', 'call_id', 'name', 'namespace', 'arguments', 'status', 'parsed_arguments']),
  custom_tool_call: new Set(['type', 'id', 'call_id', 'name', 'namespace', 'input', 'status']),
  function_call_output: new Set(['type', 'id', 'call_id', 'output', 'status']),
  input_text: new Set(['type', 'text', 'prompt_cache_breakpoint']),
  output_text: new Set(['type', 'text', 'annotations', 'logprobs', 'parsed']),
  input_image: new Set(['type', 'detail', 'image_url', 'prompt_cache_breakpoint']),
  input_file: new Set(['type', 'filename', 'file_data', 'detail', 'prompt_cache_breakpoint']),
};

/** The call's `instructions` and `input` as `messages` of a chat completion. */
export function readItems({ instructions, input }: Readonly<Record<string, unknown>>, objections: Objections): Json[] {
  const turns = new ChatTurns();
  if (typeof instructions === 'string') turns.system(instructions);
  else if (instructions !== undefined && instructions !== null) objections.malformed('instructions', 'a string');
  if (typeof input === 'string') turns.user([{ type: 'text', text: input }]);
  else for (const [item, at] of objectsOf(input, 'input', objections)) readItem(item, at, turns, objections);
  return turns.messages();
}

function readItem(item: Json, at: string, turns: ChatTurns, objections: Objections): void {
  const type = item['type'] ?? ('role' in item ? 'message' : '');
  switch (type) {
    case 'message':
      knowsOnly(item, at, known.message, objections);
      readMessage(item, at, turns, objections);
      break;
    case 'reasoning':
      turns.thinks(thoughtOf(item));
      break;
    case 'function_call':
      knowsOnly(item, at, known.function_call, objections);
      turns.calls({
        id: requiredText(item['call_id'], `${at}.call_id`, objections),
        name: nameIn(item, at, objections),
        arguments: requiredText(item['arguments'], `${at}.arguments`, objections),
      });
      break;
    case 'custom_tool_call':
      knowsOnly(item, at, known.custom_tool_call, objections);
      turns.calls({
        id: requiredText(item['call_id'], `${at}.call_id`, objections),
        name: nameIn(item, at, objections),
        arguments: JSON.stringify({ [CUSTOM_INPUT]: requiredText(item['input'], `${at}.input`, objections) }),
      });
      break;
    case 'custom_tool_call_output':
    case 'function_call_output': {
      knowsOnly(item, at, known.function_call_output, objections);
      const parts = partsOf(item['output'], `${at}.output`, objections);
      const id = requiredText(item['call_id'], `${at}.call_id`, objections);
      turns.result(
        id,
        joined(parts, '\n\n'),
        parts.filter((part) => part.type !== 'text'),
      );
      break;
    }
    case 'item_reference':
      objections.unsayable(`${at}.type`, 'no items are kept between requests, so send the item itself');
      break;
    default:
      refuse(type, at, objections);
  }
}

/** What the tool of a call is called in chat. */
function nameIn(item: Json, at: string, objections: Objections): string {
  return flatName(textOf(item['namespace']), requiredText(item['name'], `${at}.name`, objections));
}

function readMessage({ role, content }: Json, at: string, turns: ChatTurns, objections: Objections): void {
  const parts = partsOf(content, `${at}.content`, objections);
  switch (role) {
    case 'user':
      turns.user(parts);
      break;
    case 'assistant':
      turns.says(joined(parts, ''));
      break;
    case 'system':
    case 'developer':
      turns.system(joined(parts, '\n\n'));
      break;
    default:
      objections.malformed(`${at}.role`, 'user, assistant, system or developer');
  }
}

/** What the model thought, if it can be read: encrypted thoughts are OpenAI's own. */
function thoughtOf({ content, summary }: { readonly [field in string]?: unknown }): string {
  const told = Array.isArray(content) && content.length > 0 ? content : summary;
  const texts = Array.isArray(told) ? told.map((part: unknown) => textOf(objectOf(part)?.['text'])) : [];
  return texts.filter((text) => text !== '').join('\n');
}

function partsOf(content: unknown, path: string, objections: Objections): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return objectsOf(content, path, objections).flatMap(([part, at]) => readPart(part, at, objections));
}

function readPart(part: Json, at: string, objections: Objections): Part[] {
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
      knowsOnly(part, at, known[part['type']], objections);
      return [{ type: 'text', text: requiredText(part['text'], `${at}.text`, objections) }];
    case 'refusal':
      return [{ type: 'text', text: requiredText(part['refusal'], `${at}.refusal`, objections) }];
    case 'input_image': {
      knowsOnly(part, at, known.input_image, objections);
      const { detail } = part;
      const url = requiredText(part['image_url'], `${at}.image_url`, objections);
      return [{ type: 'image_url', image_url: { url, ...(typeof detail === 'string' && { detail }) } }];
    }
    case 'input_file': {
      knowsOnly(part, at, known.input_file, objections);
      const { filename, file_data: bytes } = part;
      return [{ type: 'file', file: { filename, file_data: requiredText(bytes, `${at}.file_data`, objections) } }];
    }
    default:
      refuse(part['type'], at, objections);
      return [];
  }
}

function joined(parts: readonly Part[], by: string): string {
  return parts.flatMap((part) => (part.type === 'text' ? [textOf(part.text)] : [])).join(by);
}

function refuse(type: unknown, at: string, objections: Objections): void {
  if (typeof type === 'string' && type !== '') objections.unsayable(`${at}.type`, `there is nothing of type ${type}`);
  else objections.malformed(`${at}.type`, 'the type of the item');
}
