import type { AnswerOf } from '../admin/admin-client.ts';
import { bytes, count, duration, rate } from '../output/figures.ts';
import { cell, printable } from '../output/table.ts';

// One picture of the fleet, as lines that fit the terminal: pure, so that any size and any fleet can be tested. The busiest nodes are shown
// where not all fit; those that cannot serve are named above, since they are what an operator looks for.

export type Stats = AnswerOf<'GET /api/stats'>;
type Node = Stats['nodes'][number];

export interface Rates {
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const LEAST_COLUMNS = 40;
const BAR = 20;

/** At most `rows` lines of at most `columns` characters. `rates` null: not known yet. */
export function frame(url: string, stats: Stats, rates: Rates | null, size: Size): readonly string[] {
  const columns = Math.max(LEAST_COLUMNS, size.columns);
  const head = heading(url, stats, rates);
  const room = Math.max(1, size.rows - head.length - 1);
  const nodes = stats.nodes.toSorted(
    (one, other) => load(other) - load(one) || one.name.localeCompare(other.name, 'en', { numeric: true }),
  );
  const shown = nodes.length <= room ? nodes : nodes.slice(0, room - 1);
  const hidden = nodes.length - shown.length;
  const width = Math.min(columns - 50, Math.max(4, ...shown.map(({ name }) => name.length)));
  return [
    ...head,
    nodeLine(width, 'NODE', 'STATE', 'ENGINE', 'SLOTS', 'USED', 'MODELS'),
    ...shown.map((node) => lineOf(node, width)),
    ...(hidden > 0 ? [`and ${hidden} less busy`] : []),
  ]
    .slice(0, size.rows)
    .map((line) => line.slice(0, columns).trimEnd());
}

function heading(url: string, { nodes, gauges, uptimeMs }: Stats, rates: Rates | null): readonly string[] {
  const slots = nodes.filter(isServing).reduce((sum, node) => sum + node.slots, 0);
  const taken = nodes.reduce((sum, node) => sum + (node.taken ?? 0), 0);
  const waiting = gauges?.models.filter(({ waiters }) => waiters > 0) ?? [];
  const troubled = nodes.filter((node) => !isServing(node));
  const waiters = gauges
    ? `waiting ${gauges.waiters}${gauges.waiters > 0 ? ` (${bytes(gauges.waitingBytes)})` : ''}`
    : 'the data plane does not answer';
  return [
    `weir ${url}  up ${duration(uptimeMs)}  ${states(nodes)}${gauges?.draining ? '  DRAINING' : ''}`,
    `requests ${perSecond(rates?.requestsPerSecond)}  tokens out ${perSecond(rates?.tokensPerSecond)}  running ${gauges?.openLeases ?? '?'}  ${waiters}`,
    `slots ${bar(slots === 0 ? 0 : taken / slots, BAR)} ${taken}/${slots}`,
    ...(waiting.length > 0
      ? [`waiting for ${waiting.map(({ model, waiters: each }) => `${printable(model)} ${each}`).join(', ')}`]
      : []),
    ...(troubled.length > 0 ? [`not serving: ${troubled.map(({ name }) => printable(name)).join(', ')}`] : []),
    '',
  ];
}

function perSecond(value: number | undefined): string {
  return `${value === undefined ? '-' : rate(value)}/s`;
}

/** `4 nodes: 3 ready, 1 offline`. */
function states(nodes: readonly Node[]): string {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const state = node.draining ? 'draining' : node.state;
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const parts = Array.from(counts, ([state, each]) => `${each} ${state}`);
  return `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

function isServing({ state, draining }: Node): boolean {
  return state === 'ready' && !draining;
}

function load({ taken, slots }: Node): number {
  return (taken ?? 0) / slots;
}

function lineOf(node: Node, width: number): string {
  const { name, state, draining, engine, slots, taken, models, breaker, cooling } = node;
  const condition = breaker === 'open' ? 'taken out' : cooling === true ? 'cooling' : state;
  return nodeLine(
    width,
    cell(name),
    draining ? 'draining' : condition,
    cell(engine),
    bar(load(node), 10),
    `${taken ?? '?'}/${slots}`,
    count(models.length),
  );
}

function nodeLine(
  width: number,
  name: string,
  state: string,
  engine: string,
  slots: string,
  used: string,
  models: string,
): string {
  return [
    name.slice(0, width).padEnd(width),
    state.padEnd(13),
    engine.padEnd(9),
    slots.padEnd(10),
    used.padStart(7),
    models.padStart(6),
  ].join(' ');
}

/** `####------`, full only where all is taken. */
function bar(share: number, length: number): string {
  const full = share >= 1 ? length : Math.min(length - 1, Math.ceil(share * length));
  return '#'.repeat(full) + '-'.repeat(length - full);
}
