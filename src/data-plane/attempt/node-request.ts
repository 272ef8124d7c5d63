import type { ExchangeRequest, Target } from '../../http-client/exchange.ts';
import type { NodeSnapshot } from '../../fleet/snapshot.ts';
import type { Timeouts } from '../../fleet/settings.ts';

// What goes out to a node. Of a client's headers only the content type, `accept` and the trace context cross: its key is ours to check
// and not the node's to see, and hop-by-hop fields (RFC 9110, 7.6.1) end here.

export interface Forwarded {
  readonly requestId: string;
  readonly path: string;
  readonly contentType: string;
  readonly accept: string | undefined;
  readonly traceparent: string | null;
  readonly body: Buffer;
}

/** The name of a node's pool; a node registered anew gets a new one. */
export function poolOf(node: NodeSnapshot): string {
  return `${node.id}/${node.generation}`;
}

/** Where a node is dialled. */
export function targetOf(node: NodeSnapshot, timeouts: Timeouts): Target {
  return {
    pool: poolOf(node),
    origin: new URL(node.baseUrl).origin,
    tls: node.tls,
    connectMs: node.timeouts.connectMs ?? timeouts.connectMs,
  };
}

export function nodeRequest(node: NodeSnapshot, forwarded: Forwarded): ExchangeRequest {
  const { requestId, path, contentType, accept, traceparent, body } = forwarded;
  const headers = ['content-type', contentType, 'accept-encoding', 'identity', 'x-request-id', requestId];
  if (accept !== undefined) headers.push('accept', accept);
  if (traceparent !== null) headers.push('traceparent', traceparent);
  if (node.apiKey !== null) headers.push('authorization', `Bearer ${node.apiKey}`);
  for (const [name, value] of Object.entries(node.headers)) headers.push(name, value);
  const { pathname } = new URL(node.baseUrl);
  return { method: 'POST', path: `${pathname.replace(/\/$/, '')}${path}`, headers, body };
}
