import type { Candidate } from '../candidate.ts';
import type { Policy } from './policy.ts';

/** The next node by index after the one that was chosen last; full nodes are passed over. */
export const roundRobin: Policy = (open, _counts, { lastNode }) => {
  let first: Candidate | null = null;
  let next: Candidate | null = null;
  for (const candidate of open) {
    if (!first || candidate.node < first.node) first = candidate;
    if (candidate.node > lastNode && (!next || candidate.node < next.node)) next = candidate;
  }
  return next ?? first;
};
