import { loadOf, type Candidate, type PickTurn, type Wanted } from '../candidate.ts';
import { mix } from '../mix.ts';
import type { Outlook } from '../outlook.ts';
import { leastLoaded } from './least-loaded.ts';
import type { Policy } from './policy.ts';

// The least cost in ms: of the request, until its first token; of those that run on the node, by how much it keeps them back. Its
// uncached tokens at the node's own speed stand behind the prompts that are there already, and a model that must be loaded first.
// While its prompt is read the others of the node wait or are slowed, and every token of its answer makes each of theirs a
// little later. All is in one unit, so there is nothing to weigh.

/** Nodes that cost nearly the same are the same, and the less loaded is taken: what was learned is not exact to a few percent. */
const ALIKE = 1.02;
/** Nor does anybody notice so many ms. */
const UNNOTICED_MS = 5;
/** Answers of a node after which it is no stranger. */
const KNOWN_AFTER = 5;
const EXPLORES_EVERY = 100;
/** A speed that was not measured for so long may have changed. */
const STALE_MS = 60_000;
/** How long a person waits for a first token without a thought, where a request does not say. */
const USUAL_BUDGET_MS = 2_000;

export const adaptive: Policy = (open, counts, turn) => {
  const { draw, now, wanted, outlook } = turn;
  // Until everybody is known, what they bear decides, as their operators or engines said it; so strangers are soon known.
  if (!outlook || !open.every(isKnown)) return leastLoaded(open, counts, turn);
  let best: Candidate | null = null;
  let bestLoad = Infinity;
  let bestRank = Infinity;
  let least = Infinity;
  const answer = outlook.answerTokens(wanted);
  for (const candidate of open) {
    const cost = costMs(candidate, wanted, answer, outlook, now);
    if (cost === null || cost > ALIKE * least + UNNOTICED_MS) continue;
    const isClearlyLess = ALIKE * cost + UNNOTICED_MS < least;
    least = Math.min(least, cost);
    const load = loadOf(candidate, counts);
    if (!isClearlyLess && load > bestLoad) continue;
    const rank = mix(draw, candidate.node);
    if (!isClearlyLess && load === bestLoad && rank >= bestRank) continue;
    best = candidate;
    bestLoad = load;
    bestRank = rank;
  }
  return draw % EXPLORES_EVERY === 0 ? (longUnheard(open, turn, outlook) ?? best) : best;
};

/** The node that was not heard of for the longest time, where that is long, and the request has the time to find out how it does. */
function longUnheard(open: readonly Candidate[], { now, wanted }: PickTurn, outlook: Outlook): Candidate | null {
  let oldest: Candidate | null = null;
  let heardAt = now - STALE_MS;
  for (const candidate of open) {
    const { learned } = candidate;
    if (!learned || learned.speed.heardAt >= heardAt) continue;
    oldest = candidate;
    ({ heardAt } = learned.speed);
  }
  if (!oldest || wanted.claim.priority === 'low') return oldest;
  const { startBy } = wanted.claim;
  const budgetMs = startBy === null ? USUAL_BUDGET_MS : startBy - now;
  return (costMs(oldest, wanted, outlook.answerTokens(wanted), outlook, now) ?? 0) <= budgetMs / 2 ? oldest : null;
}

function isKnown({ learned }: Candidate): boolean {
  return learned !== null && learned.node.heard >= KNOWN_AFTER;
}

/** What it costs to send the request there now, in ms; null for a node of which nothing is kept. */
export function costMs(
  { learned }: Candidate,
  wanted: Wanted,
  answerTokens: number,
  outlook: Outlook,
  now: number,
): number | null {
  if (!learned) return null;
  const { node, speed } = learned;
  const ownMs = outlook.uncachedTokens(node, wanted) * speed.promptMs;
  const firstTokenMs = speed.baseMs + node.backlogMs(now) + ownMs;
  const loadMs = node.isCold(wanted.model, now) ? speed.switchMs : 0;
  const othersMs = (node.generating + node.foreign(now)) * (ownMs + answerTokens * speed.stepSlopeMs);
  return (firstTokenMs + loadMs + othersMs) * node.slowStart(now);
}
