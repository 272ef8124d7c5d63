import { endings, type Tally } from './tally.ts';

/**
 * The closing words, and whether the demonstration held. `unanswered`: requests that had to be given up. `left`: gauges of the router
 * that are not 0; null if it did not answer.
 */
export function summary(
  tally: Tally,
  unanswered: number,
  left: readonly string[] | null,
): { readonly text: string; readonly isGood: boolean } {
  const { served, refused, timedOut, failed, gone } = tally.counts;
  const ended = endings.reduce((sum, ending) => sum + tally.counts[ending], 0);
  const balances = ended === tally.sent;
  const p50 = tally.waitMs(0.5, 'all');
  const p95 = tally.waitMs(0.95, 'all');
  const lines = [
    '',
    `sent ${tally.sent} ${balances ? '=' : '≠'} served ${served} + refused ${refused} + timed out ${timedOut} + failed ${failed} + gone ${gone}`,
  ];
  if (unanswered > 0) lines.push(`${unanswered} requests got no answer and were given up.`);
  if (!balances) lines.push('The books do not balance: that is a mistake of the demonstration itself.');
  if (p50 !== null && p95 !== null) {
    lines.push(
      `Served requests waited ${Math.round(p50)} ms at the median and ${Math.round(p95)} ms at p95 in the router.`,
    );
  }
  if (served === 0) lines.push('Nothing was served: that is not how it should be.');
  if (left === null) lines.push('The router does not answer any more: its gauges could not be read.');
  else if (left.length === 0) lines.push('Every gauge of the router is back at 0.');
  else lines.push(`These gauges of the router are not back at 0: ${left.join(', ')}.`);
  return { text: lines.join('\n'), isGood: balances && unanswered === 0 && served > 0 && left?.length === 0 };
}
