import type { Candidate } from '../balancer/candidate.ts';
import type { Placement } from './placement.ts';
import { wasTried, type Ticket } from './ticket.ts';
import type { Waiter, WaitingRoom } from './waiting-room.ts';

// Whose turn it is. A free slot goes to the oldest waiter that may use it and whose delay is over, whatever its model. If all
// that may use it are still in their delay, it stays free until the first delay ends, and newcomers do not get it meanwhile;
// they may have what is left when every such waiter is given its own. A request that was admitted before stands at its old
// place without a delay: it passes those that came after it and those still in theirs.

/** A waiter and the node it may go to. */
export interface Turn {
  readonly waiter: Waiter;
  readonly candidate: Candidate;
}

/** Who is next to be handed a slot, on one node or (`null`) on any; null where nobody may be. */
export function nextTurn(room: WaitingRoom, placement: Placement, node: number | null, now: number): Turn | null {
  let next: Turn | null = null;
  for (const model of room.models()) {
    for (let place = room.oldestOf(model); place; place = place.after) {
      const { waiter } = place;
      const { ticket } = waiter;
      if (next && ticket.id > next.waiter.ticket.id) break;
      if (waiter.eligibleAt > now) continue;
      const candidate = node === null ? placement.select(ticket, now) : placement.selectOn(node, ticket, now);
      if (candidate) next = { waiter, candidate };
      // What is closed to a waiter that was tried nowhere is closed to all behind it.
      if (candidate || ticket.tried.length === 0) break;
    }
  }
  return next;
}

/** True if the candidate has a slot more than the waiters before the ticket could use. */
export function isSpare(
  room: WaitingRoom,
  placement: Placement,
  candidate: Candidate,
  ticket: Ticket,
  now: number,
): boolean {
  if (room.size === 0) return true;
  let left = placement.freeSlots(candidate, ticket.model, now);
  for (const model of room.models()) {
    const theirs = placement.candidateOn(candidate.node, model, now);
    if (!theirs || placement.freeSlots(theirs, model, now) === 0) continue;
    for (let place = room.oldestOf(model); place; place = place.after) {
      const { waiter } = place;
      if (waiter.ticket.id > ticket.id) break;
      if (ticket.readmitted && waiter.eligibleAt > now) continue;
      if (!wasTried(waiter.ticket, candidate)) left -= 1;
      if (left <= 0) return false;
    }
  }
  return true;
}
