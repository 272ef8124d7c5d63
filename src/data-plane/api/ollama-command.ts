import type { ErrorCode } from '../../fleet/errors.ts';

// What one of Ollama's commands is about. Which models it names is asked for a key that may use only some: Ollama, written in Go, reads
// a field whatever the case of its name and takes the last of several, so every spelling counts here, and for such a key
// what is sent is what was read (`written`), not the client's bytes. It does not protect against what only Ollama before 0.5.5 reads
// and later ones ignore: a `modelfile`, which may begin with another model, or a `path` on the node's disk.

export interface OllamaCommand {
  /** Every model it names, as written; the first is the one that it is recorded under. */
  readonly models: readonly [string, ...string[]];
  /** Its progress is told line by line. */
  readonly stream: boolean;
  /** The body again, with every field once in each spelling. */
  readonly written: Buffer;
}

const NAMING: ReadonlySet<string> = new Set(['MODEL', 'NAME', 'SOURCE', 'DESTINATION', 'FROM']);

/** Reads a command from a whole body, or tells what is wrong with it. */
export function readCommand(body: Buffer): OllamaCommand | ErrorCode {
  const parsed = parse(body);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'invalid_json';
  const named = Object.entries(parsed).filter(([key, value]) => NAMING.has(folded(key)) && value !== '');
  const models = named.map(([, value]: [string, unknown]) => value);
  if (!models.every((model) => typeof model === 'string')) return 'invalid_model';
  const [first, ...others] = new Set(models);
  if (first === undefined) return 'missing_model';
  const stream = !('stream' in parsed) || parsed.stream !== false;
  return { models: [first, ...others], stream, written: Buffer.from(JSON.stringify(parsed)) };
}

/** As Go's `encoding/json` compares names: the Kelvin sign is a k, and the long s an s. */
function folded(key: string): string {
  return key.toLowerCase().toUpperCase();
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
