import { ChatTurns, type Part } from '../chat/turns.ts';
import { knowsOnly, type Objections, objectOf, objectsOf, requiredText, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';

// Anthropic's turns of blocks. Claude Code begins its system prompt with a line of its own for Anthropic's accounting, which is no
// instruction and changes with every request; sent on, it would spoil the prompt's beginning, by which engines find what they
// have already computed, so it is left out (vLLM does the same in its own endpoint).

const ACCOUNTING = /^\s*x-anthropic-billing-header:[^\n]*\n?/;

const known = {
  text: new Set(['type', 'text', 'cache_control', 'citations']),
  image: new Set(['type', 'source', 'cache_control']),
  document: new Set(['type', 'source', 'title', 'context', 'cache_control', 'citations']),
  tool_use: new Set(['type', 'id', 'name', 'input', 'cache_control', 'caller']),
  tool_result: new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']),
  thinking: new Set(['type', 'thinking', 'signature', 'cache_control']),
};

/** The call's `system` and `messages` as those of a chat completion. */
export function readTurns({ system, messages }: Readonly<Record<string, unknown>>, objections: Objections): Json[] {
  const turns = new ChatTurns();
  readSystem(system, 'system', turns, objections);
  for (const [message, path] of objectsOf(messages, 'messages', objections)) {
    const content = `${path}.content`;
    if (message['role'] === 'system') readSystem(message['content'], content, turns, objections);
    else if (message['role'] === 'user') readUser(blocksOf(message['content'], content, objections), turns, objections);
    else if (message['role'] === 'assistant') {
      for (const [block, at] of blocksOf(message['content'], content, objections)) {
        readAssistant(block, at, turns, objections);
      }
    } else objections.malformed(`${path}.role`, 'user, assistant or system');
  }
  return turns.messages();
}

/** A text is a list of one text block. */
function blocksOf(content: unknown, path: string, objections: Objections): [Json, string][] {
  return typeof content === 'string' ? [[{ type: 'text', text: content }, path]] : objectsOf(content, path, objections);
}

function readSystem(content: unknown, path: string, turns: ChatTurns, objections: Objections): void {
  if (content === undefined || content === null) return;
  for (const [block, at] of blocksOf(content, path, objections)) {
    if (block['type'] === 'text') turns.system(readText(block, at, objections).replace(ACCOUNTING, ''));
    else refuse(block, at, objections);
  }
}

/** Results of tools come first: nothing may stand between calls and their results. */
function readUser(blocks: readonly [Json, string][], turns: ChatTurns, objections: Objections): void {
  const results = blocks.filter(([{ type }]) => type === 'tool_result');
  for (const [block, at] of results) readResult(block, at, turns, objections);
  const parts = blocks
    .filter(([{ type }]) => type !== 'tool_result')
    .flatMap(([block, at]) => readPart(block, at, objections));
  turns.user(parts, results.length === 0);
}

function readAssistant(block: Json, at: string, turns: ChatTurns, objections: Objections): void {
  switch (block['type']) {
    case 'text':
      turns.says(readText(block, at, objections));
      break;
    case 'thinking':
      knowsOnly(block, at, known.thinking, objections);
      turns.thinks(textOf(block['thinking']));
      break;
    case 'redacted_thinking': // Nobody but Anthropic can read it.
      break;
    case 'tool_use':
      knowsOnly(block, at, known.tool_use, objections);
      turns.calls({
        id: requiredText(block['id'], `${at}.id`, objections),
        name: requiredText(block['name'], `${at}.name`, objections),
        arguments: JSON.stringify(block['input'] ?? {}),
      });
      break;
    default:
      refuse(block, at, objections);
  }
}

function readResult(block: Json, at: string, turns: ChatTurns, objections: Objections): void {
  knowsOnly(block, at, known.tool_result, objections);
  const id = requiredText(block['tool_use_id'], `${at}.tool_use_id`, objections);
  const content = block['content'] ?? '';
  const parts = blocksOf(content, `${at}.content`, objections).flatMap(([part, path]) =>
    part['type'] === 'tool_reference' ? namedTool(part) : readPart(part, path, objections),
  );
  const text = parts.flatMap((part) => (part.type === 'text' ? [textOf(part.text)] : [])).join('\n\n');
  const others = parts.filter(({ type }) => type !== 'text');
  turns.result(id, block['is_error'] === true ? `Error: ${text}` : text, others);
}

/** What a search for tools found; all tools are offered from the start here. */
function namedTool(reference: Json): Part[] {
  return [{ type: 'text', text: `The tool ${textOf(reference['tool_name'])} can be used.` }];
}

function readPart(block: Json, at: string, objections: Objections): Part[] {
  switch (block['type']) {
    case 'text':
      return [{ type: 'text', text: readText(block, at, objections) }];
    case 'image':
      knowsOnly(block, at, known.image, objections);
      return readImage(objectOf(block['source']) ?? {}, `${at}.source`, objections);
    case 'document':
      knowsOnly(block, at, known.document, objections);
      return readDocument(block, at, objections);
    default:
      refuse(block, at, objections);
      return [];
  }
}

function readText(block: Json, at: string, objections: Objections): string {
  knowsOnly(block, at, known.text, objections);
  return requiredText(block['text'], `${at}.text`, objections);
}

function readImage(source: Json, at: string, objections: Objections): Part[] {
  const { type } = source;
  if (type === 'base64') {
    const mediaType = requiredText(source['media_type'], `${at}.media_type`, objections);
    const bytes = requiredText(source['data'], `${at}.data`, objections);
    return [{ type: 'image_url', image_url: { url: `data:${mediaType};base64,${bytes}` } }];
  }
  if (type === 'url') {
    return [{ type: 'image_url', image_url: { url: requiredText(source['url'], `${at}.url`, objections) } }];
  }
  objections.unsayable(`${at}.type`, 'only base64 and url are known there');
  return [];
}

/** Documents of text are text; PDFs and files kept at Anthropic cannot be told. */
function readDocument(block: Json, at: string, objections: Objections): Part[] {
  if (objectOf(block['citations'])?.['enabled'] === true) {
    objections.unsayable(`${at}.citations`, 'those nodes cite nothing');
  }
  const head = [block['title'], block['context']].filter((line) => typeof line === 'string' && line !== '');
  const source = objectOf(block['source']) ?? {};
  const heading: Part[] = head.length > 0 ? [{ type: 'text', text: head.join('\n') }] : [];
  if (source['type'] === 'text') {
    return [...heading, { type: 'text', text: requiredText(source['data'], `${at}.source.data`, objections) }];
  }
  if (source['type'] === 'content') {
    const path = `${at}.source.content`;
    const parts = blocksOf(source['content'], path, objections).flatMap(([part, where]) =>
      readPart(part, where, objections),
    );
    return [...heading, ...parts];
  }
  objections.unsayable(`${at}.source.type`, 'only text can be told');
  return [];
}

function refuse({ type }: { readonly [field in string]?: unknown }, at: string, objections: Objections): void {
  if (typeof type === 'string') objections.unsayable(`${at}.type`, `there are no blocks of type ${type}`);
  else objections.malformed(`${at}.type`, 'the type of the block');
}
