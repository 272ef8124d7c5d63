import type { Candidate } from '../balancer/candidate.ts';
import type { Account } from './fairness.ts';
import type { Flow, Place } from './flow.ts';
import type { Placement } from './placement.ts';
import { wasTried, type Ticket } from './ticket.ts';
import { bandOf, type Waiter, type WaitingRoom } from './waiting-room.ts';

// Whose turn it is. A free slot goes to the first band (band-order.ts) in which somebody may use it, there to the caller that is next in
// fair order, whatever the model, and of its waiters to the one with the earliest deadline, else the oldest, whose delay is over. If all
// that may use it are still in their delay, it stays free until the first delay ends, and newcomers do not get it
// meanwhile; they may have what is left when every such waiter is given its own. A request that was admitted before stands at its old place among its caller's without a delay, and its caller's tag is as if it had never been
// given a slot: it passes those that came after it and those still in theirs.

/** Who declines a slot is passed over for now; so many are asked, then all that could decline are passed over. */
const MOST_DECLINED = 32;

/** Where and when slots are handed out. */
export interface Where {
  /** The node whose slot it is; null for any. */
  readonly node: number | null;
  readonly now: number;
  readonly mayDecline: boolean;
}

interface Search extends Where {
  /** How many more are asked. */
  left: number;
  /** The model whose nodes are closed to those that may be kept from a free slot, but not to others. */
  heldFor: string | null;
}

/** A waiter and the node it may go to. */
export interface Turn {
  readonly waiter: Waiter;
  readonly candidate: Candidate;
}

/** Who is next to be handed a slot, on one node or (`null`) on any; null where nobody may be. */
export function nextTurn(room: WaitingRoom, placement: Placement, bands: readonly number[], where: Where): Turn | null {
  const search = { ...where, left: MOST_DECLINED, heldFor: null };
  for (const band of bands) {
    const next = nextOfBand(room, placement, band, search);
    if (next) return next;
  }
  return null;
}

function nextOfBand(room: WaitingRoom, placement: Placement, band: number, search: Search): Turn | null {
  let next: Turn | null = null;
  let nextFlow: Flow | null = null;
  for (const model of room.models()) {
    for (const flow of room.flowsOf(model, band)) {
      if (nextFlow && flow.tag > nextFlow.tag) break;
      const found = turnOf(flow, placement, search);
      if (found === 'closed') break;
      if (!found) continue;
      if (!next || !nextFlow || flow.tag < nextFlow.tag || found.waiter.ticket.id < next.waiter.ticket.id) {
        next = found;
        nextFlow = flow;
      }
      break;
    }
  }
  return next;
}

/** The first of a caller's waiters that may be handed a slot; `closed` where nobody for the model may be. */
function turnOf(flow: Flow, placement: Placement, search: Search): Turn | 'closed' | null {
  const { now } = search;
  for (let place: Place | null = flow.first; place; place = place.behind) {
    const { waiter } = place;
    const { ticket } = waiter;
    if (waiter.eligibleAt > now) continue;
    const isHeld = ticket.claim.hasTtftSlo;
    if (isHeld && (search.left === 0 || search.heldFor === ticket.model)) continue;
    const candidate = openTo(ticket, isHeld, placement, search);
    if (candidate && search.mayDecline) {
      const ahead = MOST_DECLINED - search.left;
      if (placement.declines(ticket, candidate, now - waiter.enteredAt, ahead, now)) {
        search.left -= 1;
        continue;
      }
    }
    if (candidate) return { waiter, candidate };
    if (ticket.tried.length > 0) continue;
    // What is closed to a waiter that was tried nowhere is closed to all, unless only it is held back.
    if (!isHeld || !openTo(ticket, false, placement, search)) return 'closed';
    search.heldFor = ticket.model;
  }
  return null;
}

function openTo(ticket: Ticket, isHeld: boolean, placement: Placement, { node, now }: Where): Candidate | null {
  if (node === null) return placement.select(ticket, now, undefined, isHeld);
  return placement.selectOn(node, ticket, now, isHeld);
}

/**
 * True if the candidate has a slot more than the waiters before the ticket could use. `mayDecline`: those that may be kept from a free slot
 * were asked and want none that is free.
 */
export function isSpare(
  room: WaitingRoom,
  placement: Placement,
  candidate: Candidate,
  ticket: Ticket,
  account: Account,
  mayDecline: boolean,
  now: number,
): boolean {
  let left = placement.freeSlots(candidate, ticket.model, ticket.claim.hasTtftSlo, now);
  for (const model of room.models()) {
    const theirs = placement.candidateOn(candidate.node, model, now);
    if (!theirs || placement.freeSlots(theirs, model, false, now) === 0) continue;
    const isHeldBack = placement.freeSlots(theirs, model, true, now) === 0;
    for (let place = room.oldestOf(model); place; place = place.after) {
      const { waiter } = place;
      if (waiter.ticket.claim.hasTtftSlo && (isHeldBack || (mayDecline && waiter.eligibleAt <= now))) continue;
      if (ticket.readmitted && (waiter.eligibleAt > now || !goesBefore(place, ticket, account))) continue;
      if (!wasTried(waiter.ticket, candidate)) left -= 1;
      if (left <= 0) return false;
    }
  }
  return true;
}

/** Does the waiter go before a request that was admitted before? */
function goesBefore({ waiter, flow }: Place, { id, claim }: Ticket, account: Account): boolean {
  const isOlder = waiter.ticket.id < id;
  const band = bandOf(claim.priority);
  if (flow.band !== band) return flow.band < band;
  if (flow.account === account) return isOlder;
  return flow.tag === account.tag ? isOlder : flow.tag < account.tag;
}
