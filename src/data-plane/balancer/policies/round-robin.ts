import type { Policy } from './policy.ts';

/** The next node by index after the one that was chosen last; full nodes are passed over. */
export const roundRobin: Policy = (open, { lastNode }) => {
  let first = open[0];
  let next: typeof first | undefined;
  for (const candidate of open) {
    if (candidate.node < first.node) first = candidate;
    if (candidate.node > lastNode && (!next || candidate.node < next.node)) next = candidate;
  }
  return next ?? first;
};
