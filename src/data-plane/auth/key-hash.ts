import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The key a client sent, in any of the headers its dialect's clients use; null where none was. */
export function sentKey(request: IncomingMessage): string | null {
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

function splitOnce(text: string): [string, string] {
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1).trim()];
}
