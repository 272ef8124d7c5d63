import { difference, meanOf, type Cell, type Interval } from './cell.ts';
import { contenders, OURS, OURS_UNTOLD, type Contender } from './scenarios.ts';

// Where we stand at one load of one scenario: beside the best of the others, chosen by the figure that is compared. Choosing the best of
// thirteen afterwards favours them a little, which is the side to err on.

export interface Standing {
  readonly scenario: string;
  readonly load: number;
  readonly ours: Cell;
  readonly untold: Cell;
  readonly bestShipped: Cell;
  readonly bestBehind: Cell;
  /** Whose first token's p99 is least, of those as shipped. */
  readonly soonestShipped: Cell;
  /** Goodput of ours less theirs, told and untold against the shipped, told against the one behind our room. */
  readonly overShipped: Interval;
  readonly untoldOverShipped: Interval;
  readonly overBehind: Interval;
}

export function standingsOf(cells: readonly Cell[]): Standing[] {
  const groups = Map.groupBy(cells, ({ scenario, load }) => `${scenario} ${load}`);
  return [...groups.values()].flatMap((group) => standingOf(group) ?? []);
}

function standingOf(cells: readonly Cell[]): Standing | null {
  const named = (name: string): Cell | undefined => cells.find(({ contender }) => contender === name);
  const of = (kind: Contender['kind']): Cell[] =>
    cells.filter(({ contender }) => contenders.some((each) => each.id === contender && each.kind === kind));
  const [ours, untold] = [named(OURS), named(OURS_UNTOLD)];
  const [bestShipped] = of('shipped').toSorted(byGoodput);
  const [soonestShipped] = of('shipped').toSorted(byP99);
  const [bestBehind] = of('behind our room').toSorted(byGoodput);
  if (!ours || !untold || !bestShipped || !soonestShipped || !bestBehind) return null;
  const { scenario, load } = ours;
  return {
    scenario,
    load,
    ours,
    untold,
    bestShipped,
    bestBehind,
    soonestShipped,
    overShipped: difference(goodput(ours), goodput(bestShipped)),
    untoldOverShipped: difference(goodput(untold), goodput(bestShipped)),
    overBehind: difference(goodput(ours), goodput(bestBehind)),
  };
}

function goodput({ figures }: Cell): readonly number[] {
  return figures.goodput;
}

function byGoodput(a: Cell, b: Cell): number {
  return meanOf(goodput(b)) - meanOf(goodput(a));
}

function byP99(a: Cell, b: Cell): number {
  return meanOf(a.figures.ttftP99S) - meanOf(b.figures.ttftP99S);
}
