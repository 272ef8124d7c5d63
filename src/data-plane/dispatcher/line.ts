import { priorities } from '../../fleet/glossary.ts';
import type { Account } from './fairness.ts';
import { bandOf, type WaitingRoom } from './waiting-room.ts';
import type { Place } from './flow.ts';
import type { Ticket } from './ticket.ts';

// How many go first. The order in which waiters are served is fair, not that of arrival, so a place in it is a forecast: all of the bands
// above, those of the caller's own that go before, and of each other caller of the band as many as it is handed until then, as if all
// requests cost the same. Newcomers of higher bands and those that give up are not foreseen. Of very many callers only some are
// looked at, each standing for its neighbours, since this is asked for each refusal.

/** Callers that are looked at, at most about twice as many. */
const LOOKED_AT = 32;

/** How many go before the waiter that stands there. */
export function aheadOf(room: WaitingRoom, { waiter, flow }: Place): number {
  let own = 0;
  for (let place = flow.first; place && place.waiter !== waiter; place = place.behind) own += 1;
  return ahead(room, waiter.ticket.model, flow.band, waiter.account, own);
}

/** How many would go before a ticket that came to wait now. */
export function aheadOfNewcomer(room: WaitingRoom, { model, claim }: Ticket, account: Account): number {
  const band = bandOf(claim.priority);
  const flow = room.flowOf(model, band, account);
  // Without a deadline it is the last of its caller's.
  let own = claim.startBy === null ? (flow?.size ?? 0) : 0;
  if (claim.startBy !== null) {
    for (let place = flow?.first ?? null; place && isNoLater(place, claim.startBy); place = place.behind) own += 1;
  }
  return ahead(room, model, band, account, own);
}

function ahead(room: WaitingRoom, model: string, band: number, account: Account, own: number): number {
  let count = own;
  for (let above = 0; above < Math.min(band, priorities.length); above += 1) count += room.sizeOfBand(model, above);
  const flows = room.flowsOf(model, band);
  const step = Math.max(1, Math.floor(flows.length / LOOKED_AT));
  for (let at = 0; at < flows.length; at += step) {
    const other = flows[at];
    if (!other || other.account === account) continue;
    const stands = Math.min(step, flows.length - at);
    count += stands * Math.min(other.size, Math.ceil(((own + 1) * other.account.weight) / account.weight));
  }
  return Math.min(count, room.sizeOf(model));
}

function isNoLater({ waiter }: Place, startBy: number): boolean {
  return (waiter.ticket.claim.startBy ?? Infinity) <= startBy;
}
