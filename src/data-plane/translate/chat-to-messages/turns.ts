import { parsedArguments } from '../chat/blocks.ts';
import { knowsOnly, type Objections, objectOf, objectsOf, requiredText, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';

// A chat's messages as Anthropic's turns of blocks. Results of tools are blocks of the user's turn, so messages of one role in a row are
// one turn. System text at the top is the system prompt; later it stays at its place in a user's turn, marked, as in the
// other direction. Texts of nothing are left out, since Anthropic refuses them; so is earlier reasoning, which only its signature
// could make good there.

const known = new Set([
  'role',
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
  'refusal',
  'annotations',
  'reasoning_content',
  'reasoning',
]);

const knownOfPart: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'cache_control']),
  refusal: new Set(['type', 'refusal']),
  image_url: new Set(['type', 'image_url', 'cache_control']),
  file: new Set(['type', 'file']),
};

const DATA_URL = /^data:([^;,]+)(?:;[^;,]+)*;base64,/;

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: Json[];
}

/** A chat's `messages` as `system` and `messages` of Anthropic's. */
export function readMessages(value: unknown, objections: Objections): Json {
  const system: string[] = [];
  const turns: Turn[] = [];
  const add = (role: Turn['role'], blocks: readonly Json[]): void => {
    const last = turns.at(-1);
    if (blocks.length === 0) return;
    if (last?.role === role) last.content.push(...blocks);
    else turns.push({ role, content: [...blocks] });
  };
  for (const [message, at] of objectsOf(value, 'messages', objections)) {
    knowsOnly(message, at, known, objections);
    const { role, content } = message;
    const where = `${at}.content`;
    if (role === 'system' || role === 'developer') {
      const text = joinedText(content, where, objections);
      if (turns.length === 0) system.push(text);
      else add('user', textBlocks(`<system>\n${text}\n</system>`));
    } else if (role === 'user') add('user', blocksOf(content, where, objections));
    else if (role === 'assistant')
      add('assistant', [...saidBy(message, at, objections), ...calledBy(message, at, objections)]);
    else if (role === 'tool') add('user', [resultOf(message, at, objections)]);
    else objections.unsayable(`${at}.role`, 'only system, developer, user, assistant and tool are known there');
  }
  const prompt = system.filter((text) => text !== '').join('\n\n');
  return { ...(prompt !== '' && { system: prompt }), messages: turns };
}

function saidBy({ content, refusal }: Json, at: string, objections: Objections): Json[] {
  const said = blocksOf(content ?? '', `${at}.content`, objections);
  return said.length > 0 ? said : textBlocks(textOf(refusal));
}

function calledBy(message: Json, at: string, objections: Objections): Json[] {
  return objectsOf(message['tool_calls'] ?? [], `${at}.tool_calls`, objections).map(([call, path]) => {
    const { type = 'function', id } = call;
    if (type !== 'function') objections.unsayable(`${path}.type`, `there are no calls of type ${textOf(type)}`);
    const { name, arguments: args } = objectOf(call['function']) ?? {};
    const text = args === undefined ? '' : requiredText(args, `${path}.function.arguments`, objections);
    return {
      type: 'tool_use',
      id: idThere(requiredText(id, `${path}.id`, objections)),
      name: requiredText(name, `${path}.function.name`, objections),
      // The name that Anthropic gives for arguments that a model got wrong.
      input: parsedArguments(text) ?? { INVALID_JSON: text },
    };
  });
}

function resultOf(message: Json, at: string, objections: Objections): Json {
  const id = requiredText(message['tool_call_id'], `${at}.tool_call_id`, objections);
  const blocks = blocksOf(message['content'] ?? '', `${at}.content`, objections);
  return { type: 'tool_result', tool_use_id: idThere(id), ...(blocks.length > 0 && { content: blocks }) };
}

/** Anthropic takes only some characters in the ids of calls, and engines put others there. */
function idThere(id: string): string {
  return id.replaceAll(/[^\w-]/g, '_');
}

function joinedText(content: unknown, at: string, objections: Objections): string {
  return blocksOf(content, at, objections)
    .map((block) => {
      if (block['type'] !== 'text') objections.unsayable(at, 'system text is only text');
      return textOf(block['text']);
    })
    .join('\n\n');
}

function blocksOf(content: unknown, at: string, objections: Objections): Json[] {
  if (typeof content === 'string') return textBlocks(content);
  return objectsOf(content, at, objections).flatMap(([part, path]) => readPart(part, path, objections));
}

function textBlocks(text: string, more: Json | null = null): Json[] {
  return text === '' ? [] : [{ type: 'text', text, ...more }];
}

function readPart(part: Json, at: string, objections: Objections): Json[] {
  const { type } = part;
  if (typeof type === 'string' && Object.hasOwn(knownOfPart, type)) {
    knowsOnly(part, at, knownOfPart[type] ?? known, objections);
  }
  // What clients that mean Anthropic add, since only it takes such marks.
  const cached = objectOf(part['cache_control']) && { cache_control: part['cache_control'] };
  switch (type) {
    case 'text':
      return textBlocks(requiredText(part['text'], `${at}.text`, objections), cached);
    case 'refusal':
      return textBlocks(requiredText(part['refusal'], `${at}.refusal`, objections));
    case 'image_url': {
      const url = requiredText(objectOf(part['image_url'])?.['url'], `${at}.image_url.url`, objections);
      return [{ type: 'image', source: sourceOf(url), ...cached }];
    }
    case 'file': {
      const { file_data: bytes, filename } = objectOf(part['file']) ?? {};
      const source = sourceOf(requiredText(bytes, `${at}.file.file_data`, objections));
      return [{ type: 'document', source, ...(typeof filename === 'string' && { title: filename }) }];
    }
    default:
      objections.unsayable(`${at}.type`, `there are no parts of type ${textOf(type)}`);
      return [];
  }
}

function sourceOf(url: string): Json {
  const data = DATA_URL.exec(url);
  if (!data) return { type: 'url', url };
  return { type: 'base64', media_type: data[1], data: url.slice(data[0].length) };
}
