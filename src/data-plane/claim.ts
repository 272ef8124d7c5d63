import type { Caller } from './auth/callers.ts';
import { noPrefix } from './balancer/candidate.ts';
import type { Claim } from './dispatcher/ticket.ts';
import type { Urgency } from './http/urgency.ts';
import type { Settings } from '../fleet/settings.ts';
import { BYTES_PER_TOKEN, prefixOf } from './prefix.ts';

/** True where the policy learns from answers, so that it is worth telling how prompts begin and when first tokens come. */
export function learns({ selection }: Pick<Settings, 'selection'>): boolean {
  return selection.policy === 'adaptive';
}

/** What is asked for, as far as it bears on what it costs and when it is of use. */
interface Asked {
  readonly maxTokens?: number | null;
  readonly stream: boolean;
  readonly urgency: Urgency;
}

interface Asker {
  readonly caller: Caller | null;
  /** Monotonic ms. */
  readonly arrivedAt: number;
  /** What was read of it. */
  readonly body: Buffer;
  /** Of the whole body. */
  readonly requestBytes: number;
}

/**
 * What a request lays claim to: whose it is (by its key, else by its address) and what its body says of its cost. `isHinted`: whether anybody
 * asks how its prompt begins.
 */
export function claimOf(
  { caller, arrivedAt, body, requestBytes }: Asker,
  { maxTokens, stream, urgency }: Asked,
  isHinted: boolean,
): Claim {
  const key = caller?.key ?? null;
  return {
    // Apart, so that no key can be named like an address.
    caller: key ? `key ${key.id}` : (caller?.address ?? ''),
    weight: key?.weight ?? 1,
    promptTokens: requestBytes / BYTES_PER_TOKEN,
    maxTokens: maxTokens ?? null,
    prefix: isHinted ? prefixOf(body) : noPrefix,
    streams: stream,
    priority: urgency.priority,
    startBy: urgency.startWithinMs === null ? null : arrivedAt + urgency.startWithinMs,
    hasTtftSlo: urgency.hasTtftSlo,
  };
}
