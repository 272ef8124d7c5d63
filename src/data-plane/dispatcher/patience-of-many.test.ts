import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetOf, nodesAlike } from '../../../test/support/fleet.ts';
import type { Candidate } from '../balancer/candidate.ts';
import { Outlook } from '../balancer/outlook.ts';
import { Patience } from './patience.ts';
import { noClaim } from './ticket.ts';

test('of a very large fleet some are asked and stand for the others', () => {
  const outlook = new Outlook();
  outlook.replaceSnapshot(fleetOf(nodesAlike(3_000)), 0);
  const candidates = Array.from({ length: 3_000 }, (_, node): Candidate => {
    const known = outlook.node(node, 1);
    assert.ok(known);
    const speed = known.speedOf('m');
    const promptMs = node === 0 ? 10 : 0.1;
    for (let nth = 0; nth < 60; nth += 1)
      speed.firstToken(1_000 * promptMs, { tokens: 1_000, promptMs, aheadMs: 0 }, nth);
    return { node, generation: 1, upstream: 'm', slots: 1, modelSlots: null, learned: { node: known, speed } };
  });
  const [slow] = candidates;
  assert.ok(slow);
  let asked = 0;
  const freedPerMs = (): number => {
    asked += 1;
    return 1 / 1_000_000;
  };
  const claim = { ...noClaim, promptTokens: 1_000, streams: true, hasTtftSlo: true };
  const ticket = { id: 1, model: 'm', bytes: 1, maxWaitMs: 30_000, tried: [], readmitted: false, claim };
  const patience = new Patience(outlook);
  // 3000 nodes that each free a slot in 1000 s free one in 0.33 s.
  assert.equal(patience.declines(ticket, slow, { candidates, freedPerMs, ahead: 0 }, 0, 100), true);
  assert.ok(asked > 50 && asked <= 256, `${asked} asked`);
  assert.equal(patience.declines(ticket, slow, { candidates, freedPerMs, ahead: 100 }, 0, 100), false);
});
