import type { NodeState } from '../../fleet/glossary.ts';
import type { ProbeResult } from '../probe.ts';

// What a node's state becomes after a probe. One failed probe of a node that was well proves little (a lost packet, a
// pause); two in a row take it out. A node never seen well is offline after its first failure. 401 and 403 are
// believed at once: they come from the node itself; so is the silence of a node's agent, which lasted several heartbeats.
//
// Some engines list their models without a key and refuse only requests. What a request learned of a wrong key is
// therefore held for a while, or such a node would be offered again after each probe and cost a request each time.

const FAILURES_TO_OFFLINE = 2;
const UNAUTHORIZED_HOLD_MS = 30_000;
/** A restart takes less. What is away for longer is asked at the usual pace: it may be no engine at all. */
const QUICK_WHILE_OFFLINE_MS = 60_000;

export interface Health {
  readonly state: NodeState;
  /** Why, for administrators; null while all is well. */
  readonly detail: string | null;
  /** Failed probes in a row. */
  readonly failures: number;
  /** Monotonic ms until which a probe's success does not lift `misconfigured`. */
  readonly heldUntil: number;
  /** Monotonic ms since when it has been offline; null while it is not. */
  readonly offlineSince: number | null;
}

export const unprobed: Health = { state: 'starting', detail: null, failures: 0, heldUntil: 0, offlineSince: null };

export function afterProbe(before: Health, result: ProbeResult, now: number): Health {
  switch (result.kind) {
    case 'answered':
      if (before.state === 'misconfigured' && now < before.heldUntil) return { ...before, failures: 0 };
      return {
        state: result.state,
        detail: result.state === 'loading' ? 'The engine is loading its model.' : null,
        failures: 0,
        heldUntil: 0,
        offlineSince: null,
      };
    case 'unauthorized':
      return { state: 'misconfigured', detail: result.detail, failures: 0, heldUntil: 0, offlineSince: null };
    case 'nonsense':
    case 'silent':
    case 'unreachable': {
      const failures = before.failures + 1;
      const isSilent = result.kind === 'silent';
      const isOut =
        isSilent || failures >= FAILURES_TO_OFFLINE || before.state === 'starting' || before.state === 'offline';
      const offlineSince = isOut ? (before.offlineSince ?? now) : null;
      return { state: isOut ? 'offline' : before.state, detail: result.detail, failures, heldUntil: 0, offlineSince };
    }
    default:
      return result satisfies never;
  }
}

/** A request got 401 or 403 from the node. */
export function afterRefusedKey(before: Health, now: number): Health {
  return {
    ...before,
    state: 'misconfigured',
    detail: "The node refused the key it was given with a request. Set the node's apiKey.",
    heldUntil: now + UNAUTHORIZED_HOLD_MS,
    offlineSince: null,
  };
}

/** True where the next probe should come soon: nothing is known yet, or it may change at any moment. */
export function wantsQuickProbe(health: Health, now: number): boolean {
  if (health.offlineSince !== null) return now - health.offlineSince < QUICK_WHILE_OFFLINE_MS;
  return health.failures > 0 || health.state === 'starting' || health.state === 'offline' || health.state === 'loading';
}
