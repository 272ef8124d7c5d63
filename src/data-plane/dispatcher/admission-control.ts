// Staged backpressure: what happens to a request that would have to wait, judged by how full the waiting room is.
//
//   below 50 % of the limit   accept
//   50 % to below 80 %        accept with a delay of 10 to 100 ms, growing linearly with the fill
//   80 % and above            reject
//
// The last fifth is not waste: requests already admitted whose node failed re-enter there. The delay slows clients that
// send one request after another before the room is full; it does nothing against open-loop arrivals, which is what
// the reject stage is for. A request that finds a free slot is never judged here. An operator may open the last fifth, or a part of
// it, to requests of high priority: for them alone `reserved`, a share of the limit, moves the line up from 80 %.

export type AdmissionDecision =
  | { readonly kind: 'accept' }
  | { readonly kind: 'accept-with-delay'; readonly delayMs: number }
  | { readonly kind: 'reject' };

const LEAST_DELAY_MS = 10;
const MOST_DELAY_MS = 100;

/** Judges one newcomer by the number of waiters before it. Integer arithmetic: the boundaries are exact for every limit. */
export function admissionControl(waiters: number, maxWaiters: number, reserved = 0): AdmissionDecision {
  if (waiters * 2 < maxWaiters) return { kind: 'accept' };
  if (isFull(waiters, maxWaiters, reserved)) return { kind: 'reject' };
  const intoStage = Math.min(1, (waiters / maxWaiters - 0.5) / 0.3);
  return { kind: 'accept-with-delay', delayMs: LEAST_DELAY_MS + intoStage * (MOST_DELAY_MS - LEAST_DELAY_MS) };
}

/** How many more newcomers may wait. */
export function placesLeft(waiters: number, maxWaiters: number, reserved = 0): number {
  return Math.max(0, places(maxWaiters, reserved) - waiters);
}

/** How many waiters must leave before the next is let in. */
export function aboveFull(waiters: number, maxWaiters: number, reserved = 0): number {
  return Math.max(0, waiters - places(maxWaiters, reserved) + 1);
}

/** True from 80 % of the limit on, or with `reserved` so much later: new requests stop there. */
export function isFull(waiters: number, maxWaiters: number, reserved = 0): boolean {
  return waiters * 5 >= maxWaiters * fifths(reserved);
}

/** How many may wait. */
function places(maxWaiters: number, reserved: number): number {
  return Math.ceil((maxWaiters * fifths(reserved)) / 5);
}

function fifths(reserved: number): number {
  return Math.min(5, 4 + 5 * reserved);
}
