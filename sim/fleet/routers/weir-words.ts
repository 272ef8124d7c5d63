import { coolMs, type Verdict } from '../../../src/data-plane/attempt/verdict.ts';
import type { LeaseOutcome, NodeRef, Ticket, WaitResult } from '../../../src/data-plane/dispatcher/ticket.ts';
import type { Settings } from '../../../src/fleet/settings.ts';
import type { Refusal, SeenRequest } from '../seen.ts';

/** A request that asks the dispatcher for a slot. */
export interface Asked {
  readonly request: SeenRequest;
  /** Order of arrival, as `DispatchPort` numbers tickets. */
  readonly ticket: number;
  readonly tried: readonly NodeRef[];
  readonly waitedMs: number;
}

/** What clients tell of when they want their first token. */
export interface Told {
  readonly ttftMs: number;
  readonly ttftMsPerPromptToken: number;
}

interface TicketSettings {
  readonly queue: Pick<Settings['queue'], 'timeoutMs'>;
  readonly told: Told | null;
}

/** The one place where tickets are made of what is seen of a request. */
export function ticketOf(
  { request, ticket, tried, waitedMs }: Asked,
  readmitted: boolean,
  { queue, told }: TicketSettings,
): Ticket {
  const { model, bytes, caller, maxTokens, blocks, blockTokens } = request;
  const prefix = { hashes: blocks, blockTokens };
  // As request.ts has it: the router does not know the prompt's tokens.
  const claim = {
    caller: String(caller),
    weight: 1,
    promptTokens: bytes / 4,
    maxTokens,
    prefix,
    streams: true,
    priority: 'normal',
    startBy: told && request.arrivedAt + told.ttftMs + told.ttftMsPerPromptToken * request.promptTokens,
    hasTtftSlo: told !== null,
  } as const;
  const maxWaitMs = Math.max(0, queue.timeoutMs - waitedMs);
  return { id: ticket, model, bytes, maxWaitMs, tried: [...tried], readmitted, claim };
}

export function outcomeOf({ blame }: Verdict): LeaseOutcome {
  switch (blame) {
    case 'if-served':
      return { kind: 'suspect' };
    case 'overloaded':
      return { kind: 'overloaded', coolMs: coolMs(null) };
    case 'loading':
      return { kind: 'loading', retryAfterMs: null };
    case 'served':
    case 'neutral':
    case 'fault':
    case 'missing':
    case 'unauthorized':
      return { kind: blame };
    default:
      return blame satisfies never;
  }
}

/** Null where nobody is there to be told. */
export function refusalOf({ kind }: Exclude<WaitResult, { kind: 'ready' }>): Refusal | null {
  switch (kind) {
    case 'timeout':
      return 'wait_timeout';
    case 'no-ready-node':
      return 'no_ready_node';
    case 'deadline-unreachable':
      return 'deadline_unreachable';
    case 'capacity-exceeded':
    case 'draining':
      return 'capacity_exceeded';
    case 'model-not-found':
      return 'model_not_found';
    case 'exhausted':
      return 'upstream_failed';
    case 'abandoned':
      return null;
    default:
      return kind satisfies never;
  }
}
