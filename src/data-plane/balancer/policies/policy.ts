import type { PolicyName } from '../../../fleet/glossary.ts';
import type { Candidate, LiveCounts } from '../candidate.ts';
import { leastLoaded } from './least-loaded.ts';
import { powerOfTwo } from './power-of-two.ts';
import { roundRobin } from './round-robin.ts';

/** What a policy may use besides the candidates: the live counts, a number drawn anew after every lease, and who was chosen last. */
export interface PickContext {
  readonly counts: LiveCounts;
  /** 32 random bits; the same until a lease is taken, so that asking twice gives the same answer. */
  readonly draw: number;
  /** The node of the last lease taken for this model, or -1. */
  readonly lastNode: number;
}

/** Chooses among candidates that all have a free slot; pure. `open` is never empty. */
export type Policy = (open: readonly [Candidate, ...Candidate[]], context: PickContext) => Candidate;

export const policyByName: Readonly<Record<PolicyName, Policy>> = {
  'least-loaded': leastLoaded,
  'round-robin': roundRobin,
  'power-of-two': powerOfTwo,
};
