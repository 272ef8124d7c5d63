import type { PolicyName } from '../../../fleet/glossary.ts';
import type { Candidate, LiveCounts, PickTurn } from '../candidate.ts';
import { adaptive } from './adaptive.ts';
import { leastLoaded } from './least-loaded.ts';
import { powerOfTwo } from './power-of-two.ts';
import { roundRobin } from './round-robin.ts';

/** Chooses among candidates that may all be used now; null only where there is none. Pure. `open` is lent: it is not to be kept. */
export type Policy = (open: readonly Candidate[], counts: LiveCounts, turn: PickTurn) => Candidate | null;

export const policyByName: Readonly<Record<PolicyName, Policy>> = {
  adaptive,
  'least-loaded': leastLoaded,
  'round-robin': roundRobin,
  'power-of-two': powerOfTwo,
};
