import { priorities } from '../../fleet/glossary.ts';
import type { Account } from './fairness.ts';
import { bandOf, type WaitingRoom } from './waiting-room.ts';
import type { Place } from './flow.ts';
import type { Ticket } from './ticket.ts';

// How many go first. The order in which waiters are served is fair, not that of arrival, so a place in it is a forecast: all of the bands
// above, those of the caller's own that go before, and of each other caller of the band as many as it is handed until then, as if all
// requests cost the same. Newcomers of higher bands and those that give up are not foreseen. It costs a look at each caller of the
// model, so it may be asked of each refusal and of each waiter every few seconds.

/** How many go before the waiter that stands there. */
export function aheadOf(room: WaitingRoom, { waiter, flow }: Place): number {
  let own = 0;
  for (let place = flow.first; place && place.waiter !== waiter; place = place.behind) own += 1;
  return ahead(room, waiter.ticket.model, flow.band, waiter.account, own);
}

/** How many would go before a ticket that came to wait now. */
export function aheadOfNewcomer(room: WaitingRoom, { model, claim }: Ticket, account: Account): number {
  const band = bandOf(claim.priority);
  let own = 0;
  for (const flow of room.flowsOf(model, band)) {
    if (flow.account !== account) continue;
    own = flow.size;
    // Without a deadline it is the last of its caller's.
    if (claim.startBy === null) break;
    own = 0;
    for (let place = flow.first; place && isNoLater(place, claim.startBy); place = place.behind) own += 1;
  }
  return ahead(room, model, band, account, own);
}

function ahead(room: WaitingRoom, model: string, band: number, account: Account, own: number): number {
  let count = own;
  for (let above = 0; above < Math.min(band, priorities.length); above += 1) count += room.sizeOfBand(model, above);
  for (const other of room.flowsOf(model, band)) {
    if (other.account === account) continue;
    count += Math.min(other.size, Math.ceil(((own + 1) * other.account.weight) / account.weight));
  }
  return count;
}

function isNoLater({ waiter }: Place, startBy: number): boolean {
  return (waiter.ticket.claim.startBy ?? Infinity) <= startBy;
}
