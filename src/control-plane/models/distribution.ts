import type { DistributionRule } from '../../fleet/settings.ts';

// To which nodes a model goes. The three ways to name them narrow one another: of the nodes named, those with one of the tags, of
// those where it fits. Who is left out is told why, since a node that was silently skipped is found out only under load.
//
// Whether a model fits is judged by its size on disk and a fifth more for its context: the real need depends on the context it is run
// with, and what else is loaded is not looked at. It keeps a 70B model off a laptop; it does not plan memory.

const ROOM_PER_SIZE = 1.2;

export interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Null: not known. */
  readonly memoryBytes: number | null;
  /** Null: its engine has not listed its models yet. */
  readonly has: boolean | null;
  /** Why its engine cannot pull; null where it can. */
  readonly obstacle: { readonly code: 'not_supported' | 'engine_unknown'; readonly reason: string } | null;
}

export interface Selection {
  /** Names or ids; null: all. */
  readonly nodes: readonly string[] | null;
  /** One of them is enough; null: any. */
  readonly tags: readonly string[] | null;
  /** Of the model, where it must fit; null: wherever. */
  readonly fitsBytes: number | null;
}

export interface Skipped {
  readonly id: string;
  readonly name: string;
  readonly code: 'present' | 'not_supported' | 'engine_unknown' | 'does_not_fit' | 'memory_unknown';
  readonly reason: string;
}

export interface Chosen {
  readonly nodes: readonly Candidate[];
  readonly skipped: readonly Skipped[];
}

/** Of `candidates` those meant, and of these those that are to pull. */
export function chooseNodes(candidates: readonly Candidate[], selection: Selection): Chosen {
  const { nodes: named, tags, fitsBytes } = selection;
  const meant = candidates.filter(
    (node) => (named === null || named.includes(node.name) || named.includes(node.id)) && isTagged(node, tags),
  );
  const nodes: Candidate[] = [];
  const skipped: Skipped[] = [];
  for (const node of meant) {
    const why = obstacleOf(node, fitsBytes);
    if (why === null) nodes.push(node);
    else skipped.push({ id: node.id, name: node.name, ...why });
  }
  return { nodes, skipped };
}

/** True where a rule means that node, and the node is known to lack the model and able to pull it. */
export function isWantedBy(rule: DistributionRule, node: Candidate): boolean {
  return isTagged(node, rule.tags) && node.has === false && node.obstacle === null;
}

function isTagged(node: Candidate, tags: readonly string[] | null): boolean {
  return tags === null || tags.some((tag) => node.tags.includes(tag));
}

function obstacleOf(
  { has, obstacle, memoryBytes }: Candidate,
  fitsBytes: number | null,
): Pick<Skipped, 'code' | 'reason'> | null {
  if (has === true) return { code: 'present', reason: 'It has the model.' };
  if (obstacle) return obstacle;
  if (fitsBytes === null) return null;
  if (memoryBytes === null) return { code: 'memory_unknown', reason: 'Its memory is not known. Set it as memory.' };
  const needed = fitsBytes * ROOM_PER_SIZE;
  if (needed <= memoryBytes) return null;
  return {
    code: 'does_not_fit',
    reason: `It needs about ${gigabytes(needed)}, and there are ${gigabytes(memoryBytes)}.`,
  };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}
