import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike } from '../../../test/support/fleet.ts';
import { Fairness } from './fairness.ts';
import { noClaim, type Claim } from './ticket.ts';

const roomy = { queue: { maxWaiters: 1000, maxShare: 1 } };

function claimOf(caller: string, parts: Partial<Claim> = {}): Claim {
  return { ...noClaim, caller, promptTokens: 100, maxTokens: 100, ...parts };
}

/** What an answer took that cost just what was guessed of `claimOf`. */
const asGuessed = { promptTokens: 100, completionTokens: 100, cachedTokens: 0 };

/** Serves `count` waiters of a desk with one slot, each as `spent` says; returns whose they were. */
function serve(desk: DispatchDesk, owners: ReadonlyMap<number, string>, count: number, spent = asGuessed): string[] {
  const from = desk.served.length;
  for (let nth = 0; nth < count; nth += 1) {
    desk.dispatcher.release(desk.grant(desk.served.at(-1) ?? 0).lease, { kind: 'served' }, desk.now, spent);
  }
  return desk.served.slice(from).map((id) => owners.get(id) ?? '');
}

test('a caller with one request is not behind the hundred that another sent before', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  const running = desk.ask({ claim: claimOf('flood') });
  desk.askMany(100, { claim: claimOf('flood') });
  const light = desk.ask({ claim: claimOf('light') });
  desk.release(running);
  desk.release(desk.served.at(-1) ?? 0);
  assert.equal(desk.state(light), 'ready', 'one of the flood was first, then it is the other’s turn');
});

test('tokens are shared by weight, whatever the requests cost and however many wait', () => {
  const weight = fc.constantFrom(0.5, 1, 2, 4);
  const promptTokens = fc.integer({ min: 10, max: 2000 });
  const caller = fc.record({ weight, promptTokens });
  fc.assert(
    fc.property(fc.array(caller, { minLength: 2, maxLength: 5 }), (callers) => {
      const desk = new DispatchDesk(nodesAlike(1), { queue: { maxWaiters: 4000, maxShare: 1 } });
      const claims = new Map<number, Claim>();
      desk.ask();
      callers.forEach((parts, nth) => {
        const claim = claimOf(String(nth), { ...parts, maxTokens: 1 });
        for (const id of desk.askMany(300, { claim })) claims.set(id, claim);
      });
      const had = callers.map(() => 0);
      // Until the first has nothing left to ask for.
      for (let nth = 0; nth < 300; nth += 1) {
        const last = desk.served.at(-1) ?? 0;
        const { promptTokens: prompt = 0, caller: owner, weight: share = 1 } = claims.get(last) ?? {};
        const at = Number(owner ?? -1);
        if (at >= 0) had[at] = (had[at] ?? 0) + (prompt + 2) / share;
        desk.dispatcher.release(desk.grant(last).lease, { kind: 'served' }, desk.now, {
          promptTokens: prompt,
          completionTokens: 1,
          cachedTokens: 0,
        });
      }
      // Start-time fair queueing: no two backlogged callers are ever further apart than one request of each.
      const most = callers.map((each) => (each.promptTokens + 2) / each.weight);
      for (const [a, one] of had.entries()) {
        for (const [b, other] of had.entries()) {
          assert.ok(Math.abs(one - other) <= (most[a] ?? 0) + (most[b] ?? 0) + 1e-6, `${one} and ${other}`);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('who asked for longer answers than it got is given back the difference, and who took more pays it', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  desk.ask();
  const owners = new Map<number, string>();
  for (const owner of ['long', 'short']) {
    for (const id of desk.askMany(50, { claim: claimOf(owner) })) owners.set(id, owner);
  }
  const turns: string[] = [];
  for (let nth = 0; nth < 30; nth += 1) {
    const owner = owners.get(desk.served.at(-1) ?? 0);
    turns.push(...serve(desk, owners, 1, { ...asGuessed, completionTokens: owner === 'long' ? 1000 : 50 }));
  }
  const long = turns.filter((owner) => owner === 'long').length;
  assert.ok(long >= 2 && long <= 4, `2100 tokens against 200: ${long} of 30 turns`);
});

test('a prompt found in the cache costs nothing, an attempt that failed neither, and one left unanswered its prompt', () => {
  const fairness = new Fairness();
  const account = fairness.accountOf(claimOf('a'));
  const owed = (outcome: Parameters<Fairness['settle']>[1], spent: Parameters<Fairness['settle']>[2]): number => {
    const before = account.tag;
    const ticket = { id: 1, model: 'm', bytes: 1, maxWaitMs: 1, tried: [], readmitted: false, claim: claimOf('a') };
    fairness.settle(fairness.charge(account, ticket, before), outcome, spent);
    return account.tag - before;
  };
  assert.equal(owed({ kind: 'served' }, { ...asGuessed, cachedTokens: 90 }), 210);
  assert.equal(owed({ kind: 'served' }, null), 300);
  assert.equal(owed({ kind: 'fault' }, asGuessed), 0);
  assert.equal(owed({ kind: 'neutral' }, null), 100);
  assert.equal(owed({ kind: 'neutral' }, { ...asGuessed, completionTokens: 7 }), 114);
});

test('the length of answers is learned where the client does not limit it', () => {
  const fairness = new Fairness();
  const claim = claimOf('a', { promptTokens: 0, maxTokens: null });
  const account = fairness.accountOf(claim);
  const ticket = { id: 1, model: 'm', bytes: 1, maxWaitMs: 1, tried: [], readmitted: false, claim };
  const owed = (): number => fairness.charge(account, ticket, 0).owed;
  assert.equal(owed(), 512);
  const charge = fairness.charge(account, ticket, 0);
  fairness.settle(charge, { kind: 'served' }, { ...asGuessed, completionTokens: 40 });
  assert.equal(owed(), 80);
});

test('a caller that comes back has saved nothing up, and owes nothing for slots that nobody waited for', () => {
  const desk = new DispatchDesk(nodesAlike(1), roomy);
  const owners = new Map<number, string>();
  const ask = (owner: string, count: number): void => {
    for (const id of desk.askMany(count, { claim: claimOf(owner) })) owners.set(id, owner);
  };
  // Alone, it takes what it wants.
  for (let nth = 0; nth < 50; nth += 1) desk.release(desk.ask({ claim: claimOf('busy') }));
  desk.ask({ claim: claimOf('busy') });
  ask('busy', 60);
  serve(desk, owners, 20);
  ask('back', 20);
  const turns = serve(desk, owners, 20);
  const busy = turns.filter((owner) => owner === 'busy').length;
  assert.ok(busy >= 9 && busy <= 11, `${busy} of 20`);
});

test('what a caller had of one model does not starve it of another', () => {
  const desk = new DispatchDesk([{ models: ['a'] }, { models: ['b'] }], roomy);
  const [onA, onB] = [desk.ask({ model: 'a' }), desk.ask({ model: 'b' })];
  desk.askMany(40, { model: 'a', claim: claimOf('x') });
  desk.askMany(40, { model: 'b', claim: claimOf('y') });
  let last = onA;
  for (let nth = 0; nth < 30; nth += 1) {
    desk.release(last);
    last = desk.served.at(-1) ?? 0;
  }
  const late = desk.ask({ model: 'b', claim: claimOf('x') });
  desk.release(onB);
  desk.release(desk.served.at(-1) ?? 0);
  assert.equal(desk.state(late), 'ready');
});

test('on a node that models share, a caller of another model starts no lower than those served before it', () => {
  const desk = new DispatchDesk([{ models: ['a', 'b'] }], roomy);
  const owners = new Map<number, string>();
  desk.ask({ model: 'a' });
  for (const owner of ['x', 'z']) {
    for (const id of desk.askMany(60, { model: 'a', claim: claimOf(owner) })) owners.set(id, owner);
  }
  serve(desk, owners, 60);
  for (const id of desk.askMany(60, { model: 'b', claim: claimOf('y') })) owners.set(id, 'y');
  const turns = serve(desk, owners, 30);
  const late = turns.filter((owner) => owner === 'y').length;
  assert.ok(late >= 9 && late <= 11, `${late} of 30`);
});

test('a request that failed on a node goes before its caller’s younger ones and is not paid for twice', () => {
  const desk = new DispatchDesk([{ slots: 1 }, { slots: 1 }], roomy);
  const running = desk.askMany(2);
  const [first = 0, ...younger] = desk.askMany(4, { claim: claimOf('x') });
  desk.askMany(4, { claim: claimOf('y') });
  desk.release(running[0] ?? 0);
  assert.equal(desk.state(first), 'ready');
  desk.retry(first, { kind: 'overloaded', coolMs: 60_000 });
  assert.equal(desk.state(first), 'waiting');
  desk.release(running[1] ?? 0);
  assert.equal(desk.state(first), 'ready');
  for (const id of younger) assert.equal(desk.state(id), 'waiting');
});

test('while there are others one caller cannot fill the room; alone it may, to the 80 % line', () => {
  const alone = new DispatchDesk(nodesAlike(1));
  alone.ask({ claim: claimOf('flood') });
  alone.askMany(16, { claim: claimOf('flood') });
  assert.equal(alone.counts().waiters, 16);

  const shared = new DispatchDesk(nodesAlike(1));
  shared.ask({ claim: claimOf('light') });
  shared.askMany(50, { claim: claimOf('flood') });
  assert.equal(shared.counts().waiters, 8, 'half of the 16 places for newcomers');
  for (const caller of ['light', 'third', 'fourth']) {
    assert.equal(shared.state(shared.ask({ claim: claimOf(caller) })), 'waiting', caller);
  }
  shared.askMany(50, { claim: claimOf('flood') });
  assert.equal(shared.counts().waiters, 11);
  const refused = shared.result(shared.ask({ claim: claimOf('flood') }));
  assert.ok(refused?.kind === 'capacity-exceeded' && refused.retryAfterMs >= 1000);
});

test('a minute after the others were last heard of the room is all a caller’s own again', () => {
  const desk = new DispatchDesk(nodesAlike(1), { queue: { timeoutMs: 300_000 } });
  desk.ask({ claim: claimOf('light') });
  desk.askMany(50, { claim: claimOf('flood'), maxWaitMs: 300_000 });
  assert.equal(desk.counts().waiters, 8);
  desk.advance(60_001);
  desk.askMany(50, { claim: claimOf('flood'), maxWaitMs: 300_000 });
  assert.equal(desk.counts().waiters, 16);
});

test('callers without number are forgotten', () => {
  const fairness = new Fairness();
  const first = fairness.accountOf(claimOf('first'));
  first.tag = 5;
  for (let nth = 0; nth < 20_000; nth += 1) fairness.accountOf(claimOf(`caller ${nth}`)).tag = 1;
  assert.notEqual(fairness.accountOf(claimOf('first')), first);
  const waiting = fairness.accountOf(claimOf('waiting'));
  waiting.waiting = 1;
  for (let nth = 0; nth < 20_000; nth += 1) fairness.accountOf(claimOf(`other ${nth}`)).tag = 1;
  assert.equal(fairness.accountOf(claimOf('waiting')), waiting);
});
