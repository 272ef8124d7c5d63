import type { Refusal } from './seen.ts';
import type { SimRequest } from './workload/offer.ts';

/** What became of one offered request, as its client saw it; times in ms of the run. */
export interface RequestRecord {
  readonly request: SimRequest;
  /** `gone`: the client gave up before the first token. `interrupted`: its answer broke. Null while it is open. */
  outcome: 'served' | 'refused' | 'interrupted' | 'gone' | null;
  why: Refusal | null;
  /** When an engine took it out of its queue. */
  startedAt: number | null;
  firstAt: number | null;
  endedAt: number | null;
  tokens: number;
  cachedTokens: number;
  attempts: number;
}

export function newRecord(request: SimRequest): RequestRecord {
  return {
    request,
    outcome: null,
    why: null,
    startedAt: null,
    firstAt: null,
    endedAt: null,
    tokens: 0,
    cachedTokens: 0,
    attempts: 0,
  };
}
