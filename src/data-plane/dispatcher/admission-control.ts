// Staged backpressure: what happens to a request that would have to wait, judged by how full the waiting room is.
//
//   below 50 % of the limit   accept
//   50 % to below 80 %        accept with a delay of 10 to 100 ms, growing linearly with the fill
//   80 % and above            reject
//
// The last fifth is not waste: requests already admitted whose node failed re-enter there. The delay slows clients that
// send one request after another before the room is full; it does nothing against open-loop arrivals, which is what
// the reject stage is for. A request that finds a free slot is never judged here.

export type AdmissionDecision =
  | { readonly kind: 'accept' }
  | { readonly kind: 'accept-with-delay'; readonly delayMs: number }
  | { readonly kind: 'reject' };

const LEAST_DELAY_MS = 10;
const MOST_DELAY_MS = 100;

/** Judges one newcomer by the number of waiters before it. Integer arithmetic: the boundaries are exact for every limit. */
export function admissionControl(waiters: number, maxWaiters: number): AdmissionDecision {
  if (waiters * 2 < maxWaiters) return { kind: 'accept' };
  if (isFull(waiters, maxWaiters)) return { kind: 'reject' };
  const intoStage = (waiters / maxWaiters - 0.5) / 0.3;
  return { kind: 'accept-with-delay', delayMs: LEAST_DELAY_MS + intoStage * (MOST_DELAY_MS - LEAST_DELAY_MS) };
}

/** How many more newcomers may wait. */
export function placesLeft(waiters: number, maxWaiters: number): number {
  return Math.max(0, Math.ceil((maxWaiters * 4) / 5) - waiters);
}

/** How many waiters must leave before the next is let in. */
export function aboveFull(waiters: number, maxWaiters: number): number {
  return Math.max(0, waiters - Math.ceil((maxWaiters * 4) / 5) + 1);
}

/** True from 80 % of the limit on: new requests stop there. */
export function isFull(waiters: number, maxWaiters: number): boolean {
  return waiters * 5 >= maxWaiters * 4;
}
