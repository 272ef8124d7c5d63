import { accessHeaders } from '../fleet/engine-requests.ts';
import type { Target } from '../http-client/exchange.ts';
import { engineOf } from './nodes/build-snapshot.ts';
import type { LogSource } from './nodes/node-log.ts';
import type { NodeAddress } from './nodes/node-address.ts';
import type { RegisteredNode } from './nodes/registered-node.ts';

// How this plane calls a node: over the one pool it has here, with the key and headers an operator gave it. Probes, pulls and logs
// alike, or each of them would have its own sockets.

/** `connectMs` is the same for all calls: a pool with another one would be another pool. */
export function targetOf(node: RegisteredNode, connectMs: number): Target {
  return { pool: node.id, ...placeOf(node.address), tls: node.settings.tls ?? null, connectMs };
}

/** Where a node is dialled. */
export function placeOf({ origin, socketPath }: NodeAddress): Pick<Target, 'origin' | 'socketPath'> {
  return socketPath === undefined ? { origin } : { origin, socketPath };
}

/** Name, value, name, value, … */
export function headersOf(node: RegisteredNode): readonly string[] {
  const { apiKey = null, headers } = node.settings;
  return [...accessHeaders(engineOf(node), apiKey, headers), ...Object.entries(headers).flat()];
}

/** Where a node's log is; null where nobody said. The node's key goes to no other server than the node's. */
export function logSourceOf(node: RegisteredNode, connectMs: number): LogSource | null {
  const url = node.settings.logsUrl === undefined ? null : URL.parse(node.settings.logsUrl);
  if (!url) return null;
  const path = url.pathname + url.search;
  if (url.origin === node.address.origin) return { target: targetOf(node, connectMs), path, headers: headersOf(node) };
  return { target: { pool: logPool(node.id), origin: url.origin, tls: null, connectMs }, path, headers: [] };
}

/** The name of the pool to the server that has a node's log. */
export function logPool(nodeId: string): string {
  return `log of ${nodeId}`;
}
