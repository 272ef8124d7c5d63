import type { IncomingMessage, ServerResponse } from 'node:http';
import { msOf } from './urgency.ts';

// Request headers that decide something before the body is read.

/** How a body is packed, of what is taken; null for a coding that is not. RFC 9110, section 8.4.1: `x-gzip` is gzip. */
export function codingOf({ headers }: IncomingMessage): 'identity' | 'gzip' | null {
  const coding = headers['content-encoding'];
  if (coding === undefined) return 'identity';
  switch (coding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    default:
      return null;
  }
}

/** True where the client waits for a word before it sends its body (RFC 9110, 10.1.1); other expectations are ignored. */
function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect?.trim().toLowerCase() === '100-continue' && httpVersion !== '1.0';
}

/** Tells a client that waits with its body to send it. Behind another answer the word has to wait for its turn. */
export function inviteBody(request: IncomingMessage, response: ServerResponse): void {
  if (!expectsContinue(request)) return;
  if (response.socket) return response.writeContinue();
  response.once('socket', () => {
    if (!request.complete && !response.headersSent) response.writeContinue();
  });
}

const SMALL_BYTES = 64 * 1024;

/**
 * True where a body is small and its client does not wait with it, so that it is here already or nearly. Refusing after taking it is
 * cheaper for both sides than before, which costs the connection.
 */
export function isComingAtOnce(request: IncomingMessage): boolean {
  const declared = Number(request.headers['content-length'] ?? NaN);
  return declared <= SMALL_BYTES && !expectsContinue(request);
}

/** Ms the client allows to wait, never beyond the configured ones; null where the header makes no sense. */
export function maxWaitOf(header: string | string[] | undefined, configuredMs: number): number | null {
  if (header === undefined) return configuredMs;
  const ms = msOf(header);
  return ms === null ? null : Math.min(ms, configuredMs);
}

/** Whether a stream that breaks may go on at another node: only where the router may, and the client does not say `off`; null for other words. */
export function resumeOf(header: string | string[] | undefined, isAllowed: boolean): boolean | null {
  if (header === undefined) return isAllowed;
  const word = typeof header === 'string' ? header.trim().toLowerCase() : '';
  if (word === 'on') return isAllowed;
  return word === 'off' ? false : null;
}

const VERSION_HEADERS = ['anthropic-version', 'anthropic-beta'] as const;

/** The headers by which Anthropic's clients say which form of the API they mean: name, value, …; null where there are none. */
export function versionHeaders({ headers }: IncomingMessage): string[] | null {
  const found: string[] = [];
  for (const name of VERSION_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') found.push(name, value);
  }
  return found.length > 0 ? found : null;
}
