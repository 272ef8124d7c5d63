import type { PolicyName } from '../../../fleet/glossary.ts';
import type { Candidate, LiveCounts } from '../candidate.ts';
import { leastLoaded } from './least-loaded.ts';
import { powerOfTwo } from './power-of-two.ts';
import { roundRobin } from './round-robin.ts';

/** What a policy may use besides candidates and counts; unchanged until a lease is taken, so that asking twice gives the same answer. */
export interface PickTurn {
  /** 32 random bits. */
  readonly draw: number;
  /** The node of the last lease taken for this model, or -1. */
  readonly lastNode: number;
}

/** Chooses among candidates that may all be used now; null only where there is none. Pure. `open` is lent: it is not to be kept. */
export type Policy = (open: readonly Candidate[], counts: LiveCounts, turn: PickTurn) => Candidate | null;

export const policyByName: Readonly<Record<PolicyName, Policy>> = {
  'least-loaded': leastLoaded,
  'round-robin': roundRobin,
  'power-of-two': powerOfTwo,
};
