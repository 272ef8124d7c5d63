// What the engine says: decided by the request's text alone, so that the same question gets the same answer from every node and
// from every run, and a test can compare an answer through the router with a direct one. A prompt whose last message begins
// with "say: " is answered by exactly the rest of it.

export interface ToolSpecification {
  readonly name: string;
  /** The JSON schema of its arguments. */
  readonly parameters: unknown;
}

export interface Ask {
  /** All of the prompt. */
  readonly prompt: string;
  /** The last message, or the prompt. */
  readonly last: string;
  readonly maxTokens: number | null;
  /** Go on until `maxTokens`. */
  readonly ignoresEnd: boolean;
  /** The tool that must be called; null for text. */
  readonly tool: ToolSpecification | null;
  /** Distinguishes the choices of one request. */
  readonly choice: number;
}

export interface Generation {
  /** One per token. Empty pieces of a tool call carry no text. */
  readonly pieces: readonly string[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly tool: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> } | null;
}

const WORDS = (
  'the a one river water gate stone path field light morning door client node answer queue pace quiet clear steady ' +
  'opens waits flows turns holds keeps finds gives moves rests slowly early again together and but so then while where ' +
  'small long deep open every other next first last same about over under between through after before with'
).split(' ');
const DEFAULT_LENGTH = { min: 16, max: 64 };

/** Tokens of a text, by the usual rule of thumb of four characters each. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** The answer to a request; `length` bounds one that neither the request nor its text decides. */
export function generate(ask: Ask, length: { min: number; max: number } = DEFAULT_LENGTH): Generation {
  const random = mulberry32(hash(`${ask.choice}:${ask.prompt}`));
  const limit = ask.maxTokens ?? Infinity;
  if (ask.tool) return callOf(ask.tool, limit, random);
  const said = /^say: (.*)$/su.exec(ask.last)?.[1];
  let pieces: string[];
  if (said === undefined) {
    const natural = length.min + Math.floor(random() * (length.max - length.min + 1));
    const count = ask.ignoresEnd && ask.maxTokens !== null ? ask.maxTokens : natural;
    pieces = Array.from({ length: Math.min(count, Math.max(limit, 1)) }, (_, at) => word(at, random));
    if (natural <= limit && !ask.ignoresEnd) return { pieces, finish: 'stop', tool: null };
    return { pieces, finish: 'length', tool: null };
  }
  pieces = said.match(/\s*\S+\s*$|\s*\S+/gu) ?? [said];
  if (pieces.length <= limit) return { pieces, finish: 'stop', tool: null };
  return { pieces: pieces.slice(0, Math.max(1, limit)), finish: 'length', tool: null };
}

/** A unit vector that depends on the text alone. */
export function embed(text: string, size: number): number[] {
  const random = mulberry32(hash(text));
  const raw = Array.from({ length: size }, () => random() * 2 - 1);
  const norm = Math.hypot(...raw) || 1;
  return raw.map((value) => value / norm);
}

/** FNV-1a, 32 bits: also names answers, so that ids are stable between runs. */
export function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state >>> 0;
}

function callOf(tool: ToolSpecification, limit: number, random: () => number): Generation {
  const schema = record(tool.parameters);
  const properties = record(schema['properties']);
  const required = Array.isArray(schema['required']) ? schema['required'] : Object.keys(properties);
  const values = Object.keys(properties)
    .filter((name) => required.includes(name))
    .map((name) => [name, valueOf(record(properties[name]), random)] as const);
  const call = { name: tool.name, arguments: Object.fromEntries(values) };
  const text = JSON.stringify(call.arguments);
  const pieces = text.match(/.{1,6}/gsu) ?? [text];
  return { pieces, finish: pieces.length <= limit ? 'tool_calls' : 'length', tool: call };
}

function valueOf(schema: Record<string, unknown>, random: () => number): unknown {
  if (Array.isArray(schema['enum'])) return schema['enum'][Math.floor(random() * schema['enum'].length)];
  if (schema['type'] === 'integer') return Math.floor(random() * 100);
  if (schema['type'] === 'number') return Math.round(random() * 1000) / 10;
  if (schema['type'] === 'boolean') return random() < 0.5;
  if (schema['type'] === 'array') return [];
  if (schema['type'] === 'object') return {};
  return word(0, random);
}

function word(at: number, random: () => number): string {
  const chosen = WORDS[Math.floor(random() * WORDS.length)] ?? 'the';
  return at === 0 ? chosen : ` ${chosen}`;
}

/** The value as a record of unknowns; an empty one for anything that is not an object. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
