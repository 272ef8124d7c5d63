import { test } from 'node:test';
import * as fc from 'fast-check';
import { DispatchModel, type Step } from '../../../test/support/dispatch-model.ts';
import type { NodePlan } from '../../../test/support/fleet.ts';
import type { LeaseOutcome } from './ticket.ts';

// Whatever happens in whatever order, the dispatcher's promises hold: the model judges each answer at the moment it is given,
// and the whole state after each step.

const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant<LeaseOutcome>({ kind: 'served' }) },
  { weight: 2, arbitrary: fc.constant<LeaseOutcome>({ kind: 'neutral' }) },
  { weight: 4, arbitrary: fc.constant<LeaseOutcome>({ kind: 'fault' }) },
  { weight: 2, arbitrary: fc.constant<LeaseOutcome>({ kind: 'suspect' }) },
  { weight: 1, arbitrary: fc.constant<LeaseOutcome>({ kind: 'unauthorized' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('overloaded' as const), coolMs: fc.integer({ min: 1, max: 60_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('loading' as const), retryAfterMs: fc.option(fc.nat(5000)) }),
  },
);

const node = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  models: fc.constantFrom(['a'], ['b'], ['a', 'b']),
  modelSlots: fc.constantFrom(1, 2, 9),
  state: fc.constantFrom<NonNullable<NodePlan['state']>[]>('ready', 'ready', 'ready', 'loading', 'offline'),
  draining: fc.constantFrom(false, false, false, true),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      model: fc.constantFrom('a', 'a', 'a', 'b', 'unknown'),
      maxWaitMs: fc.constantFrom(0, 50, 300, 5000),
      many: fc.integer({ min: 1, max: 6 }),
      caller: fc.constantFrom('x', 'x', 'y', 'z'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(), outcome }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('retry' as const), which: fc.nat(), outcome }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 60, 400, 7000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fleet' as const),
      index: fc.nat(2),
      node: fc.option(node),
      anew: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('blame' as const), index: fc.nat(2) }) },
);
test('under any interleaving nobody is lost, served twice or overtaken, no slot is given twice or idles, and all counts return to zero', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.nat(),
      fc.option(fc.nat(60)),
      (steps, seed, drainAt) => {
        const model = new DispatchModel(seed);
        for (const [nth, next] of steps.entries()) {
          if (nth === drainAt) model.drain();
          model.run(next);
        }
        model.finish();
      },
    ),
    { numRuns: 4000 },
  );
});
