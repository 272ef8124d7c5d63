import type { Account } from './fairness.ts';
import type { Waiter } from './waiting-room.ts';

// One caller's waiters for one model and band: those that must have a slot by some time first, the earliest before the others, and then in
// order of arrival. And the callers of a band in the order of their tags: a sorted array, in which a caller is found by bisection. Moving one shifts pointers, which for a thousand callers takes less than a comparison of each.

export interface Place {
  readonly waiter: Waiter;
  readonly flow: Flow;
  /** Who came next for the same model. */
  readonly after: Place | null;
  /** Who is next of the same caller in the same band. */
  readonly behind: Place | null;
}

export interface Flow {
  readonly account: Account;
  /** 0 is the most urgent. */
  readonly band: number;
  /** How many wait in it. */
  readonly size: number;
  /** Who is next of this caller. */
  readonly first: Place | null;
  /** Lower goes before; of equals, who came first. */
  readonly tag: number;
}

export interface LinkedPlace extends Place {
  readonly flow: LinkedFlow;
  before: LinkedPlace | null;
  after: LinkedPlace | null;
  ahead: LinkedPlace | null;
  behind: LinkedPlace | null;
}

export interface LinkedFlow extends Flow {
  first: LinkedPlace | null;
  last: LinkedPlace | null;
  tag: number;
  size: number;
  /** The ticket that it stands in the order by. */
  rank: number;
}

/** The flows of one model in one band, in fair order. */
export class FlowOrder {
  readonly #band: number;
  #size = 0;
  readonly #flows: LinkedFlow[] = [];
  readonly #byAccount = new Map<Account, LinkedFlow>();

  constructor(band: number) {
    this.#band = band;
  }

  /** Waiters of all its callers. */
  get size(): number {
    return this.#size;
  }

  get inOrder(): readonly LinkedFlow[] {
    return this.#flows;
  }

  of(account: Account): LinkedFlow | undefined {
    return this.#byAccount.get(account);
  }

  /** The tag at which a caller joins those that wait: its own, but no lower and no higher than theirs; null where nobody waits. */
  fit(tag: number): number | null {
    const lowest = this.#flows[0];
    const highest = this.#flows.at(-1);
    return lowest && highest ? Math.min(Math.max(tag, lowest.tag), highest.tag) : null;
  }

  open(account: Account, tag: number): LinkedFlow {
    const flow: LinkedFlow = { account, band: this.#band, size: 0, first: null, last: null, tag, rank: 0 };
    this.#byAccount.set(account, flow);
    return flow;
  }

  /** Puts the waiter that the place is of where it belongs among its caller's. */
  enter(place: LinkedPlace): void {
    const { flow } = place;
    const ahead = whoIsAhead(place);
    flow.size += 1;
    this.#size += 1;
    place.ahead = ahead;
    place.behind = ahead ? ahead.behind : flow.first;
    if (place.ahead) place.ahead.behind = place;
    else this.#newFirst(flow, place);
    if (place.behind) place.behind.ahead = place;
    else flow.last = place;
  }

  leave({ flow, ahead, behind }: LinkedPlace): void {
    flow.size -= 1;
    this.#size -= 1;
    if (behind) behind.ahead = ahead;
    else flow.last = ahead;
    if (ahead) ahead.behind = behind;
    else this.#newFirst(flow, behind);
    if (!flow.first) this.#byAccount.delete(flow.account);
  }

  /** The caller's tag changed. */
  move(flow: LinkedFlow, by: number): void {
    this.#take(flow);
    flow.tag += by;
    this.#put(flow);
  }

  #newFirst(flow: LinkedFlow, first: LinkedPlace | null): void {
    if (flow.first) this.#take(flow);
    flow.first = first;
    if (first) this.#put(flow);
  }

  #put(flow: LinkedFlow): void {
    flow.rank = flow.first?.waiter.ticket.id ?? 0;
    this.#flows.splice(this.#find(flow), 0, flow);
  }

  #take(flow: LinkedFlow): void {
    this.#flows.splice(this.#find(flow), 1);
  }

  /** Where the flow stands, or would. */
  #find({ tag, rank }: LinkedFlow): number {
    let low = 0;
    let high = this.#flows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#flows[middle];
      if (other && (other.tag < tag || (other.tag === tag && other.rank < rank))) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Looked for from the end where it is almost always last, from the front where only those with an earlier time are before it. */
function whoIsAhead({ flow, waiter }: LinkedPlace): LinkedPlace | null {
  if (waiter.ticket.claim.startBy === null) {
    let ahead = flow.last;
    while (ahead && goesAhead(waiter, ahead.waiter)) ahead = ahead.ahead;
    return ahead;
  }
  let ahead: LinkedPlace | null = null;
  for (let next = flow.first; next && goesAhead(next.waiter, waiter); next = next.behind) ahead = next;
  return ahead;
}

/** Of two waiters of one caller and band. */
function goesAhead({ ticket: one }: Waiter, { ticket: other }: Waiter): boolean {
  const [oneBy, otherBy] = [one.claim.startBy ?? Infinity, other.claim.startBy ?? Infinity];
  return oneBy === otherBy ? one.id < other.id : oneBy < otherBy;
}
