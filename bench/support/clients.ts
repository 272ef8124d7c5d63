import { Agent, request as send } from 'undici';
import { systemClock } from '../../src/lib/clock.ts';

// Clients of a measurement. Only complete 2xx answers count as served; all others are counted by what they were.

export interface Answered {
  readonly status: number;
  readonly code: string | null;
  readonly totalMs: number;
  /** What the router reports of the wait, 0 where it did not wait. */
  readonly waitMs: number;
  /** From the node's receiving the request to its sending the answer; null where no node answered. */
  readonly serviceMs: number | null;
  readonly retryAfter: string | null;
}

const body = JSON.stringify({ model: 'stub', messages: [{ role: 'user', content: 'x'.repeat(900) }] });

/** Connections for this many clients at once, none shared between two requests in flight. */
export function clientConnections(clients: number): Agent {
  return new Agent({ connections: clients, pipelining: 1, headersTimeout: 120_000, bodyTimeout: 120_000 });
}

export async function ask(agent: Agent, url: string, headers: Record<string, string> = {}): Promise<Answered> {
  const startedAt = systemClock.now();
  const response = await send(`${url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const text = await response.body.text();
  const totalMs = systemClock.now() - startedAt;
  const answer: unknown = JSON.parse(text);
  const waited = response.headers['x-weir-wait-ms'];
  const retryAfter = response.headers['retry-after'];
  return {
    status: response.statusCode,
    code: codeOf(answer),
    totalMs,
    waitMs: typeof waited === 'string' ? Number(waited) : 0,
    serviceMs: serviceOf(answer),
    retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
  };
}

/** The router's own share of a served answer's time, in ms. */
export function ownShareMs({ totalMs, waitMs, serviceMs }: Answered): number {
  return totalMs - waitMs - (serviceMs ?? 0);
}

function codeOf(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return null;
  const { error } = answer;
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : null;
}

function serviceOf(answer: unknown): number | null {
  if (typeof answer !== 'object' || answer === null) return null;
  return 'receivedAt' in answer && 'sentAt' in answer ? Number(answer.sentAt) - Number(answer.receivedAt) : null;
}
