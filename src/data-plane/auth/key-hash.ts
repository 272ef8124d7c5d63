import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FleetSnapshot, KeySnapshot } from '../../fleet/snapshot.ts';

type Keys = FleetSnapshot['keys'];

interface Found {
  readonly sent: string;
  /** The keys that were searched; others are searched anew. */
  readonly among: Keys;
  readonly key: KeySnapshot | null;
}

/** The key a client sent, in any of the headers its dialect's clients use; null where none was. */
function sentKey(request: IncomingMessage): string | null {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const [scheme, token] = splitOnce(authorization.trim());
    if (scheme.toLowerCase() === 'bearer' && token !== '') return token;
  }
  const apiKey = request.headers['x-api-key'];
  return typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
}

/** Keys are looked up by hash: what leaks from a map's timing is then nothing a key could be guessed from. */
export function keyHash(key: string): string {
  return hash('sha256', key, 'hex');
}

/**
 * Finds the key of a request. A connection sends the same key again and again, so each remembers its last one: hashing is a twentieth of
 * what a refusal costs. What is remembered goes with the connection, and a connection learns from it only what it sent itself.
 */
export class KeysByConnection {
  readonly #found = new WeakMap<Socket, Found>();

  /** The key among `keys` that was sent; null where none was, or none of these. */
  find(request: IncomingMessage, keys: Keys): KeySnapshot | null {
    const sent = sentKey(request);
    if (sent === null) return null;
    const last = this.#found.get(request.socket);
    if (last && last.sent === sent && last.among === keys) return last.key;
    const key = keys.get(keyHash(sent)) ?? null;
    this.#found.set(request.socket, { sent, among: keys, key });
    return key;
  }
}

function splitOnce(text: string): [string, string] {
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1).trim()];
}
