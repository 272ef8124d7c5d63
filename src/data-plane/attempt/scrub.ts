import { isIPv6 } from 'node:net';
import { errorMessageOf } from '../../lib/error-message.ts';
import { nodeWords } from './node-words.ts';
import type { NodeWords } from './node-words.ts';

// Takes a node's address out of what a node says in an error, before a client reads it: every URL, every IP address, the
// node's host, host:port and name, also in base64 or hex. Only errors pass through here; generated text never does.
//
// In keys of JSON objects the node's name is left, so that a client still finds its fields whatever a node is called. A node that
// disguises its address on purpose gets it through: this protects against talkative nodes, not hostile ones.

export interface ScrubbedNode {
  readonly baseUrl: string;
  /** Null for a provider: clients say its name themselves, before that of its models. */
  readonly name: string | null;
  /** Ours there; engines are known to repeat a key that they refuse. */
  readonly apiKey?: string | null;
  /** The engine's own name of the model, often a path, and the one that the client knows it by. */
  readonly model?: { readonly own: string; readonly asked: string };
}

const ADDRESS = '[address]';
const NODE = '[node]';
const KEY = '[key]';
const MAX_MESSAGE_CHARS = 16 * 1024;
/** More than is kept is read, so that an address cut by the limit is not left in halves. */
const MAX_READ_CHARS = 2 * MAX_MESSAGE_CHARS;
const MAX_BODY_BYTES = 256 * 1024;

const SLASH = String.raw`(?:\\{0,4}\/|\\{1,4}u002f|%2f)`;
const URL_ANYWHERE = new RegExp(
  String.raw`[a-z][a-z0-9+.-]{0,15}(?::|%3a)${SLASH}{2}(?:\[[\w:.%]*\])?[^\s"'<>()\[\]{}|^${'`'},;]*`,
  'gi',
);
const IPV4 = /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)(?::\d{1,5})?/g;
const MAYBE_IPV6 = /(?<![\w:.])(?:\[([\da-f:.]{2,45})(?:%\w{1,16})?\](?::\d{1,5})?|([\da-f:.]{2,45})(?![\w:]))/gi;

/** `text` with everything that tells which node it came from replaced by neutral words, at most 16 Ki characters. */
export function scrubMessage(text: string, node: ScrubbedNode): string {
  return scrubText(text, nodeWords(node.baseUrl, node.name), node);
}

function scrubText(text: string, words: NodeWords, node: ScrubbedNode): string {
  const clean = scrubAddresses(text, words, node);
  return (words.name ? clean.replace(words.name, NODE) : clean).slice(0, MAX_MESSAGE_CHARS);
}

function scrubAddresses(text: string, words: NodeWords, { model, apiKey }: ScrubbedNode): string {
  let result = text.slice(0, MAX_READ_CHARS);
  // Anything shorter is no secret, and would be found inside words.
  if (apiKey && apiKey.length >= 8) result = result.replaceAll(apiKey, KEY);
  // Very short names would be found inside words.
  if (model && model.own.length >= 4 && model.own !== model.asked) result = result.replaceAll(model.own, model.asked);
  result = result.replace(URL_ANYWHERE, ADDRESS);
  if (words.base64) result = result.replace(words.base64, NODE);
  if (words.hex) result = result.replace(words.hex, NODE);
  result = result.replace(MAYBE_IPV6, withoutIpv6).replace(words.address, ADDRESS).replace(IPV4, ADDRESS);
  return words.port ? result.replace(words.port, ADDRESS) : result;
}

function withoutIpv6(match: string, bracketed: string | undefined, plain: string | undefined): string {
  const candidate = bracketed ?? plain ?? '';
  // A digit is asked for so that `a::b` in a message about code stays.
  if (!/\d/.test(candidate)) return match;
  if (isIPv6(candidate)) return ADDRESS;
  // A port put behind it without brackets.
  if (isIPv6(candidate.replace(/:\d{1,5}$/, ''))) return ADDRESS;
  const withoutDot = candidate.replace(/[.:]+$/, '');
  return isIPv6(withoutDot) ? ADDRESS + candidate.slice(withoutDot.length) : match;
}

/**
 * A node's 4xx body with every string scrubbed and every other byte as it was. Null where it is no JSON object, is
 * larger than 256 KB, or calls itself something other than JSON or plain text: the caller then writes an error of its own.
 */
export function scrubErrorBody(body: Buffer, contentType: string | null, node: ScrubbedNode): Buffer | null {
  if (body.length > MAX_BODY_BYTES || !mayBeJson(contentType)) return null;
  const text = body.toString('utf8');
  if (!isObject(parse(text))) return null;
  const words = nodeWords(node.baseUrl, node.name);
  // Sound because the text was parsed: quotes then only delimit strings, and a colon after one makes it a key.
  const scrubbed = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g, (literal: string, colon: string | undefined) => {
    const value = parse(colon === undefined ? literal : literal.slice(0, -colon.length));
    if (typeof value !== 'string') return literal;
    const clean = colon === undefined ? scrubText(value, words, node) : scrubAddresses(value, words, node);
    return clean === value ? literal : JSON.stringify(clean) + (colon ?? '');
  });
  return Buffer.from(scrubbed);
}

/**
 * The sentence for people in an error body of any known engine, or a short plain-text body as it is. Null where there is
 * none. Not scrubbed.
 */
export function readErrorMessage(body: Buffer): string | null {
  if (body.length > MAX_BODY_BYTES) return null;
  const text = body.toString('utf8').trim();
  const parsed = parse(text);
  if (parsed !== undefined) return errorMessageOf(parsed);
  // Broken JSON and HTML pages are written for no client.
  return text === '' || text.length > 2000 || /^[<{[]/.test(text) ? null : text;
}

function mayBeJson(contentType: string | null): boolean {
  return contentType === null || /json|^text\/plain|^\s*$/i.test(contentType);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
