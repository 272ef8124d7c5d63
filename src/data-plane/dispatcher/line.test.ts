import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fairness } from './fairness.ts';
import { aheadOfNewcomer } from './line.ts';
import { noClaim, type Ticket } from './ticket.ts';
import { WaitingRoom } from './waiting-room.ts';

function ticketOf(id: number, caller: string): Ticket {
  return { id, model: 'm', bytes: 1, maxWaitMs: 1000, tried: [], readmitted: false, claim: { ...noClaim, caller } };
}

/** How many would go before a newcomer where so many callers wait with this many requests each. */
function ahead(callers: number, each: number, newcomer: string): number {
  const fairness = new Fairness();
  const room = new WaitingRoom();
  for (let id = 0; id < callers * each; id += 1) {
    const ticket = ticketOf(id, `caller ${id % callers}`);
    const account = fairness.accountOf(ticket.claim);
    room.enter({ ticket, account, offered: true, enteredAt: 0, eligibleAt: 0, deadlineAt: 1000 });
  }
  const ticket = ticketOf(callers * each, newcomer);
  return aheadOfNewcomer(room, ticket, fairness.accountOf(ticket.claim));
}

test('of few callers each is counted as often as it goes first', () => {
  assert.equal(ahead(60, 3, 'another'), 60);
  assert.equal(ahead(20, 3, 'caller 4'), 3 + 19 * 3);
});

test('of very many callers some stand for the others, and nobody stands behind more than there are', () => {
  assert.equal(ahead(1000, 2, 'another'), 1000);
  for (const caller of ['caller 0', 'caller 1', 'caller 31']) {
    const count = ahead(1000, 1, caller);
    assert.ok(count > 960 && count <= 1000, String(count));
  }
});
