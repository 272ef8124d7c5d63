import { createHash } from 'node:crypto';
import { objectOf, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';

// Chat knows functions with one name each. Responses have two things more, which agents use for what they run themselves: namespaces
// (a group of functions, called by group and name) and custom tools (which take a text instead of an object). A function of
// a namespace is told under both names joined; a custom tool as a function of one text, `input`. On the way back a call is told as
// the tool was offered. A grammar for a custom tool's text cannot be enforced there: it is told to the model in words.

const SEPARATOR = '__';
/** OpenAI's limits for a function's name, which other servers took over. */
const MOST_CHARACTERS = 64;
const OTHER = /[^a-zA-Z0-9_-]/g;

/** A tool as the client offered it. */
export interface ToolName {
  /** `''` for none. */
  readonly namespace: string;
  readonly name: string;
  readonly isCustom: boolean;
}

/** The field of a custom tool's text. */
export const CUSTOM_INPUT = 'input';

/** What a tool of a namespace is called where there are none. */
export function flatName(namespace: string, name: string): string {
  if (namespace === '') return name;
  const joined = (namespace.endsWith(SEPARATOR) ? namespace + name : namespace + SEPARATOR + name).replace(OTHER, '_');
  if (joined.length <= MOST_CHARACTERS) return joined;
  const digest = createHash('sha256').update(joined).digest('hex').slice(0, 8);
  return `${joined.slice(0, MOST_CHARACTERS - 9)}_${digest}`;
}

/** The tools of a call by what they are called in chat; functions without a namespace are as they are. */
export function toolNames(tools: unknown): ReadonlyMap<string, ToolName> {
  const names = new Map<string, ToolName>();
  const read = (list: unknown, namespace: string): void => {
    for (const item of Array.isArray(list) ? list : []) {
      const tool = objectOf(item) ?? {};
      const name = textOf(tool['name']);
      const isCustom = tool['type'] === 'custom';
      if (tool['type'] === 'namespace') read(tool['tools'], name);
      else if (isCustom || namespace !== '') names.set(flatName(namespace, name), { namespace, name, isCustom });
    }
  };
  read(tools, '');
  return names;
}

/** The text that a custom tool was called with; all of what the model wrote where it is not the object that was asked for. */
export function customInput(written: string): string {
  try {
    const input = objectOf(JSON.parse(written))?.[CUSTOM_INPUT];
    return typeof input === 'string' ? input : written;
  } catch {
    return written;
  }
}

/** A custom tool's parameters. */
export function customParameters(): Json {
  return {
    type: 'object',
    properties: { [CUSTOM_INPUT]: { type: 'string' } },
    required: [CUSTOM_INPUT],
    additionalProperties: false,
  };
}
