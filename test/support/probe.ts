import assert from 'node:assert/strict';
import type { ScriptedNode } from './scripted-node.ts';
import type { Scripted } from './scripted-answers.ts';
import type { EngineKind } from '../../src/fleet/glossary.ts';
import { createHttpClient } from '../../src/http-client/http-client.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { Former, ProbeAnswer, ProbeResult } from '../../src/control-plane/probe.ts';
import { asker } from '../../src/control-plane/engines/ask.ts';
import { probeNode } from '../../src/control-plane/engines/probe-node.ts';

/** An answer of JSON. */
export const json =
  (body: unknown, status = 200): Scripted =>
  (_request, reply) =>
    reply.json(status, body);

/** An answer of plain text. */
export const text =
  (body: string, status = 200, type = 'text/plain'): Scripted =>
  (_request, reply) =>
    void reply.response.writeHead(status, { 'content-type': type }).end(body);

/** A list of one model in OpenAI's form. */
export const list = (owner: string, entry: object): Scripted =>
  json({ object: 'list', data: [{ object: 'model', created: 1, owned_by: owner, ...entry }] });

interface ProbeOptions {
  readonly engine?: EngineKind | null;
  readonly listIsOptional?: boolean;
  readonly timeoutMs?: number;
  readonly basePath?: string;
  readonly headers?: readonly string[];
  readonly former?: Former;
  readonly clock?: Clock;
}

/** Probes a scripted node once. */
export async function probe(node: ScriptedNode, options: ProbeOptions = {}): Promise<ProbeResult> {
  const { engine = null, listIsOptional = false, timeoutMs = 2000, basePath = '', headers = [] } = options;
  const { former = null, clock = systemClock } = options;
  const httpClient = createHttpClient({ maxIdlePerNode: 4, idleTimeoutMs: 1000, tcpKeepAliveMs: 0 }, clock);
  const target = { pool: 'n', origin: node.url, tls: null, connectMs: 1000 };
  try {
    return await probeNode(asker(httpClient, { target, basePath, headers }, timeoutMs), engine, listIsOptional, former);
  } finally {
    httpClient.close();
  }
}

/** The answer of a probe that was answered. */
export function answered(result: ProbeResult): ProbeAnswer {
  assert.equal(result.kind, 'answered', JSON.stringify(result));
  if (result.kind !== 'answered') throw new Error('unreachable');
  return result;
}

/** What a llama.cpp answers. */
export const llamaPaths = {
  '/v1/models': list('llamacpp', { id: '/models/tiny.gguf', meta: { n_ctx_train: 2048, size: 1000 } }),
  '/health': json({ status: 'ok' }),
  '/props': json({ default_generation_settings: {}, total_slots: 4, build_info: 'b6700' }),
  '/slots': json([
    { is_processing: true },
    { is_processing: false },
    { is_processing: true },
    { is_processing: false },
  ]),
};
