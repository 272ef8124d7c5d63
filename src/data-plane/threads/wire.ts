import { priorities } from '../../fleet/glossary.ts';
import type { Grant, LeaseOutcome, NodeRef, Spent, Ticket, WaitResult } from '../dispatcher/ticket.ts';

// Tickets and their answers as flat records. `toDispatcher` are the kinds that a relay thread sends, `toRelay` those it gets.

export const toDispatcher = { place: 1, cancel: 2, release: 3, blame: 4, ask: 5, firstToken: 6 } as const;
export const toRelay = { answer: 1, reply: 2, advance: 3 } as const;

/** What is asked of the dispatcher beside slots. */
export const questions = ['mayRetry', 'retryAfterMs', 'nextProbeMs', 'isMissingEverywhere', 'standing'] as const;
export type Question = (typeof questions)[number];

const results = [
  'ready',
  'timeout',
  'no-ready-node',
  'capacity-exceeded',
  'abandoned',
  'draining',
  'model-not-found',
  'exhausted',
  'deadline-unreachable',
] as const satisfies readonly WaitResult['kind'][];

const outcomes = [
  'served',
  'neutral',
  'fault',
  'suspect',
  'overloaded',
  'loading',
  'missing',
  'unauthorized',
] as const satisfies readonly LeaseOutcome['kind'][];

/** In place of a number that is null; none of them can be negative. */
const NONE = -1;
/** Numbers of a ticket before those of its prefix and of the nodes that it tried. */
const FIXED = 14;

/** The model and after it the caller go beside it, as the record's text. */
export function ticketNumbers({ id, model, bytes, maxWaitMs, tried, readmitted, claim }: Ticket): number[] {
  const { weight, promptTokens, maxTokens, prefix, streams, priority, startBy, hasTtftSlo } = claim;
  const { hashes, blockTokens } = prefix;
  const numbers = [id, bytes, maxWaitMs, readmitted ? 1 : 0, weight, promptTokens, maxTokens ?? NONE, model.length];
  numbers.push(priorities.indexOf(priority), startBy ?? NONE, hasTtftSlo ? 1 : 0);
  numbers.push(streams ? 1 : 0, blockTokens, hashes.length, ...hashes);
  for (const { node, generation } of tried) numbers.push(node, generation);
  return numbers;
}

export function ticketText({ model, claim }: Ticket): string {
  return model + claim.caller;
}

export function readTicket(numbers: readonly number[], text: string): Ticket {
  const [id = 0, bytes = 0, maxWaitMs = 0, readmitted = 0, weight = 1, promptTokens = 0, most = NONE] = numbers;
  const [modelLength = text.length, band = 0, by = NONE, slo = 0] = numbers.slice(7);
  const maxTokens = most === NONE ? null : most;
  const [streams = 0, blockTokens = 1, blocks = 0] = numbers.slice(FIXED - 3, FIXED);
  const prefix = { hashes: numbers.slice(FIXED, FIXED + blocks), blockTokens };
  const priority = priorities[band] ?? 'normal';
  const startBy = by === NONE ? null : by;
  const payer = { caller: text.slice(modelLength), weight, priority, startBy, hasTtftSlo: slo === 1 };
  const claim = { ...payer, promptTokens, maxTokens, prefix, streams: streams === 1 };
  const tried: NodeRef[] = [];
  for (let at = FIXED + blocks; at < numbers.length; at += 2) tried.push(readNode(numbers, at));
  return { id, model: text.slice(0, modelLength), bytes, maxWaitMs, tried, readmitted: readmitted === 1, claim };
}

export function readNode(numbers: readonly number[], at = 0): NodeRef {
  return { node: numbers[at] ?? 0, generation: numbers[at + 1] ?? 0 };
}

/** The grant's upstream name goes beside it, as the record's text. */
export function resultNumbers(ticketId: number, result: WaitResult): number[] {
  const numbers = [ticketId, results.indexOf(result.kind), result.waitedMs ?? NONE];
  if (result.kind === 'ready') numbers.push(result.grant.lease, result.grant.node, result.grant.generation);
  else if ('retryAfterMs' in result) numbers.push(result.retryAfterMs);
  if ('standing' in result && result.standing) {
    numbers.push(result.standing.position, result.standing.estimatedWaitMs);
  }
  return numbers;
}

export function readResult(numbers: readonly number[], upstream: string): WaitResult {
  const [, kindAt = 0, waited = NONE, third = 0, position = 0, estimatedWaitMs = 0] = numbers;
  const standing = position > 0 ? { position, estimatedWaitMs } : null;
  const kind = results[kindAt] ?? 'exhausted';
  const waitedMs = waited === NONE ? null : waited;
  switch (kind) {
    case 'ready':
      return { kind, waitedMs, grant: { lease: third, ...readNode(numbers, 4), upstream } };
    case 'no-ready-node':
      return { kind, waitedMs: waitedMs ?? 0, retryAfterMs: third };
    case 'timeout':
      return { kind, waitedMs: waitedMs ?? 0, retryAfterMs: third, standing };
    case 'deadline-unreachable':
      return { kind, waitedMs, retryAfterMs: third, standing };
    case 'capacity-exceeded':
      return { kind, waitedMs: null, retryAfterMs: third, standing };
    case 'abandoned':
    case 'draining':
    case 'model-not-found':
    case 'exhausted':
      return { kind, waitedMs };
  }
}

/** A slot granted in advance. The model and after it the grant's upstream name go beside it, as the record's text. */
export function advanceNumbers(
  cell: number,
  { id, laidAt, model }: Omit<Advance, 'cell' | 'grant'>,
  { lease, node, generation }: Grant,
): number[] {
  return [cell, id, laidAt, lease, node, generation, model.length];
}

export interface Advance {
  readonly cell: number;
  readonly id: number;
  readonly laidAt: number;
  readonly model: string;
  readonly grant: Grant;
}

export function readAdvance(numbers: readonly number[], text: string): Advance {
  const [cell = 0, id = 0, laidAt = 0, lease = 0] = numbers;
  const modelLength = numbers[6] ?? 0;
  const grant = { lease, ...readNode(numbers, 4), upstream: text.slice(modelLength) };
  return { cell, id, laidAt, model: text.slice(0, modelLength), grant };
}

export function releaseNumbers(lease: number, outcome: LeaseOutcome, spent: Spent | null): number[] {
  const numbers = [lease, outcomes.indexOf(outcome.kind), NONE];
  if (outcome.kind === 'overloaded') numbers[2] = outcome.coolMs;
  if (outcome.kind === 'loading') numbers[2] = outcome.retryAfterMs ?? NONE;
  if (spent) numbers.push(spent.promptTokens ?? NONE, spent.completionTokens ?? NONE, spent.cachedTokens ?? NONE);
  return numbers;
}

export function readSpent(numbers: readonly number[]): Spent | null {
  if (numbers.length < 6) return null;
  const [promptTokens = null, completionTokens = null, cachedTokens = null] = numbers
    .slice(3)
    .map((each) => (each === NONE ? null : each));
  return { promptTokens, completionTokens, cachedTokens };
}

export function readOutcome([, kindAt = 0, ms = NONE]: readonly number[]): LeaseOutcome {
  const kind = outcomes[kindAt] ?? 'neutral';
  if (kind === 'overloaded') return { kind, coolMs: ms };
  if (kind === 'loading') return { kind, retryAfterMs: ms === NONE ? null : ms };
  return { kind };
}
