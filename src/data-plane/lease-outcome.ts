import { coolMs, type Verdict } from './attempt/verdict.ts';
import type { LeaseOutcome } from './dispatcher/ticket.ts';

/** What an attempt's verdict tells the dispatcher of the node. */
export function leaseOutcome(verdict: Verdict, retryAfterMs: number | null): LeaseOutcome {
  switch (verdict.blame) {
    case 'served':
    case 'neutral':
    case 'fault':
    case 'missing':
    case 'unauthorized':
      return { kind: verdict.blame };
    case 'if-served':
      return { kind: 'suspect' };
    case 'overloaded':
      return { kind: 'overloaded', coolMs: coolMs(retryAfterMs) };
    case 'loading':
      return { kind: 'loading', retryAfterMs: retryAfterMs === null ? null : coolMs(retryAfterMs) };
  }
}
