import type { NodeSettings, NodeTimeouts, NodeTls } from '../../fleet/settings.ts';
import { NodeUrlError, readNodeUrl } from '../nodes/node-address.ts';
import { ApiError } from './call.ts';
import type { NodeInput } from './input.ts';
import { MASK } from './node-view.ts';

// From what an administrator sends to the settings of a node. A masked secret that comes back as it was shown means the one
// there is, so that a client may change another field without knowing it.

/** Rejects with `ApiError` that names the field. `before`: the settings a change replaces. */
export async function readNodeInput(body: unknown, before: NodeSettings | null): Promise<NodeSettings> {
  const { check, nodeInput } = await import('./input.ts');
  const input = check(nodeInput, body);
  const name = input.name ?? before?.name ?? nameFromUrl(input.url);
  const apiKey = input.apiKey === MASK ? before?.apiKey : (input.apiKey ?? undefined);
  if (input.apiKey === MASK && apiKey === undefined) {
    throw new ApiError(400, 'invalid_request', `apiKey: ${MASK} stands for the key there is, and there is none.`);
  }
  const models = modelNames(input);
  return {
    name,
    url: input.url.trim(),
    engine: input.engine,
    headers: readHeaders(input.headers, before),
    ...(typeof input.maxConcurrent === 'number' ? { maxConcurrent: input.maxConcurrent } : {}),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(models ? { models } : {}),
    ...(input.timeouts ? { timeouts: readTimeouts(input.timeouts) } : {}),
    ...(input.tls ? { tls: readTls(input.tls) } : {}),
    ...(input.tags ? { tags: [...new Set(input.tags)] } : {}),
    ...(input.memory ? { memoryBytes: input.memory } : {}),
    ...(input.logsUrl ? { logsUrl: checkedLogsUrl(input.logsUrl) } : {}),
  };
}

function modelNames({ models }: NodeInput): Readonly<Record<string, string>> | null {
  if (!models) return null;
  return Array.isArray(models) ? Object.fromEntries(models.map((name) => [name, name])) : models;
}

function readHeaders(headers: NodeInput['headers'], before: NodeSettings | null): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === MASK ? (before?.headers[name] ?? value) : value]),
  );
}

function readTimeouts({ connect, firstByte, betweenBytes }: NonNullable<NodeInput['timeouts']>): NodeTimeouts {
  return {
    ...(connect === undefined ? {} : { connectMs: connect }),
    ...(firstByte === undefined ? {} : { firstByteMs: firstByte }),
    ...(betweenBytes === undefined ? {} : { betweenBytesMs: betweenBytes }),
  };
}

function readTls({ ca, cert, key, verify }: NonNullable<NodeInput['tls']>): NodeTls {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(verify === undefined ? {} : { verify }),
  };
}

/** Also checks the URL: throws `ApiError` that says what to write. */
function nameFromUrl(url: string): string {
  return new URL(checkedUrl(url)).host.replaceAll(/[[\]]/g, '');
}

/** Throws `ApiError` for a URL no node can have. */
export function checkedUrl(url: string): string {
  try {
    return readNodeUrl(url).baseUrl;
  } catch (error) {
    if (error instanceof NodeUrlError) throw new ApiError(400, 'invalid_request', `url: ${error.message}`);
    throw error;
  }
}

/** A query may be part of it. */
function checkedLogsUrl(written: string): string {
  try {
    readNodeUrl(written.replace(/\?[^#]*$/, ''));
    return written.trim();
  } catch (error) {
    if (error instanceof NodeUrlError) throw new ApiError(400, 'invalid_request', `logsUrl: ${error.message}`);
    throw error;
  }
}
