import { type ScrubbedNode, scrubMessage } from './scrub.ts';

// What a node says while it carries out a command is about itself: the layers it fetches, and where something fails also the file on its
// disk and the registry it spoke to. Everything in it that is text is scrubbed like an error, and paths too, by their form: an
// absolute one of Unix or Windows, or one in somebody's home. A path with spaces loses only its part before the first. Digests are
// left, which are the registry's and the same on every node.

const PATH = '[path]';
const UNIX_PATH = /(?<![\p{L}\p{N}_.:/\]-])~?(?:\/[\p{L}\p{N}_.@+%~:-]+)+\/?/gu;
const WINDOWS_PATH = /(?<![\p{L}\p{N}_])(?:[a-z]:[\\/]|\\\\)[^\s"'<>|,;]+/giu;
const DIGEST = /^(?:sha256[:-])?[0-9a-f]{12,64}$/;
const DEEPEST = 8;

/** `text` without what tells which node it came from, or where on it. */
export function scrubCommandText(text: string, node: ScrubbedNode): string {
  if (DIGEST.test(text)) return text;
  return scrubMessage(text, node).replace(WINDOWS_PATH, PATH).replace(UNIX_PATH, PATH);
}

/** The same JSON value with every text in it scrubbed; what lies too deep for any command's answer is left out. */
export function scrubCommandJson(value: unknown, node: ScrubbedNode, depth = 0): unknown {
  if (typeof value === 'string') return scrubCommandText(value, node);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEEPEST) return null;
  if (Array.isArray(value)) return value.map((each) => scrubCommandJson(each, node, depth + 1));
  const entries = Object.entries(value).map(([key, each]: [string, unknown]) => [
    scrubCommandText(key, node),
    scrubCommandJson(each, node, depth + 1),
  ]);
  return Object.fromEntries(entries);
}
