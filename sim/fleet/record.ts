import type { Refusal } from './seen.ts';
import type { SimRequest } from './workload/offer.ts';

/** What became of one offered request, as its client saw it; times in ms of the run. */
export interface RequestRecord {
  readonly request: SimRequest;
  /** `gone`: the client gave up before the first token. `interrupted`: its answer broke. Null while it is open. */
  outcome: 'served' | 'refused' | 'interrupted' | 'gone' | null;
  why: Refusal | null;
  /** What its first refusal told it to wait, ms; null where it was not refused, or not told. */
  toldMs: number | null;
  /** When it was first refused. */
  refusedAt: number | null;
  /** When after that it would first have been let in; null where it never would, or the router does not say. */
  openAt: number | null;
  /** Times it came again after a refusal. */
  comebacks: number;
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
    toldMs: null,
    refusedAt: null,
    openAt: null,
    comebacks: 0,
    startedAt: null,
    firstAt: null,
    endedAt: null,
    tokens: 0,
    cachedTokens: 0,
    attempts: 0,
  };
}
