import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../../test/support/fleet.ts';
import { policies } from '../../../fleet/glossary.ts';
import { type Candidate, noPrefix, type PickTurn } from '../candidate.ts';
import { policyByName } from './policy.ts';

function candidatesOf(slots: readonly number[]): Candidate[] {
  return slots.map((each, node) => ({
    node,
    generation: 1,
    upstream: 'm',
    slots: each,
    modelSlots: null,
    learned: null,
  }));
}

function turnOf(parts: Partial<PickTurn>): PickTurn {
  const claim = { promptTokens: 0, maxTokens: null, prefix: noPrefix, priority: 'normal', startBy: null } as const;
  const wanted = { model: 'm', claim };
  return { draw: 0, lastNode: -1, now: 0, wanted, outlook: null, ...parts };
}

function countsOf(inFlight: readonly number[]): { inFlight: (node: number) => number } {
  return { inFlight: (node) => inFlight[node] ?? 0 };
}

test('every policy returns null for nobody, the only one, and the same one when asked again', () => {
  const random = seededRandom(3);
  for (const name of policies) {
    const policy = policyByName[name];
    const turn = turnOf({ draw: Math.floor(random() * 2 ** 32) });
    assert.equal(policy([], countsOf([]), turn), null);
    const [only] = candidatesOf([4]);
    assert.ok(only);
    assert.equal(policy([only], countsOf([3]), turn), only);
    const many = candidatesOf([1, 2, 3, 4, 5]);
    assert.equal(policy(many, countsOf([]), turn), policy(many, countsOf([]), turn));
  }
});

test('least-loaded compares what is in flight with the slots', () => {
  const pick = policyByName['least-loaded'](candidatesOf([4, 16]), countsOf([1, 3]), turnOf({ draw: 1 }));
  assert.equal(pick?.node, 1, '3 of 16 is less than 1 of 4');
});

test('least-loaded prefers the larger of two idle nodes', () => {
  for (let draw = 0; draw < 100; draw++) {
    const pick = policyByName['least-loaded'](candidatesOf([4, 16]), countsOf([]), turnOf({ draw }));
    assert.equal(pick?.node, 1);
  }
});

test('round-robin goes by index from the last one taken and starts over at the end', () => {
  const candidates = candidatesOf([1, 1, 1]).toReversed();
  const after = (lastNode: number): number | undefined =>
    policyByName['round-robin'](candidates, countsOf([]), turnOf({ lastNode }))?.node;
  assert.deepEqual([-1, 0, 1, 2, 7].map(after), [0, 1, 2, 0, 0]);
});

test('power-of-two takes the less loaded of two different ones, and draws every pair', () => {
  const candidates = candidatesOf([10, 10, 10, 10]);
  const picks = [0, 0, 0, 0];
  const random = seededRandom(11);
  for (let nth = 0; nth < 4000; nth++) {
    const draw = Math.floor(random() * 2 ** 32);
    const pick = policyByName['power-of-two'](candidates, countsOf([0, 1, 2, 3]), turnOf({ draw }));
    picks[pick?.node ?? -1] = (picks[pick?.node ?? -1] ?? 0) + 1;
  }
  // Of the six pairs the least loaded wins three, the next two, the next one, the most loaded none.
  const [best = 0, second = 0, third = 0, worst = 0] = picks;
  assert.equal(worst, 0);
  assert.ok(
    Math.abs(best - 2000) < 150 && Math.abs(second - 1333) < 150 && Math.abs(third - 667) < 150,
    picks.join(' '),
  );
});
