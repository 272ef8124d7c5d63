import type { RouterFigures } from './figures.ts';
import type { Tally } from './tally.ts';

// What the demonstration shows: on a terminal a picture redrawn in place, elsewhere (a pipe, a log) one line a second.

const BAR = 30;
const CLEAR_LINE = '\u001b[2K';

export interface View {
  readonly fleet: string;
  readonly elapsedMs: number;
  readonly totalMs: number;
  readonly phase: string;
  readonly clients: number;
  readonly mostClients: number;
  readonly maxWaiters: number;
  readonly tally: Tally;
  /** Whether anybody was refused since the last view. */
  readonly isRefusing: boolean;
  /** Null while the router does not answer. */
  readonly figures: RouterFigures | null;
}

const legend =
  'When every slot is taken, newcomers wait in the router. From the first mark of the waiting bar (half full) they are delayed a little ' +
  'longer, from the second (80 %) they are refused at once and told when to come back.';

/**
 * Where the waiting room stands, in the words of the admission stages. While it refuses, its count wavers at the limit, since each
 * place that gets free is taken at once: a refusal tells more than the count does.
 */
export function stageOf(waiters: number, maxWaiters: number, isRefusing: boolean): 'accept' | 'delay' | 'refuse' {
  if (waiters < maxWaiters * 0.5) return 'accept';
  return isRefusing || waiters >= maxWaiters * 0.8 ? 'refuse' : 'delay';
}

const STAGE_TEXT = {
  accept: 'accepting',
  delay: 'delaying newcomers by 10 to 100 ms',
  refuse: 'full: refusing newcomers (503 with Retry-After)',
} as const;

/** The picture, line by line. */
export function picture(view: View): string[] {
  const { figures, tally, maxWaiters } = view;
  const waiters = figures?.waiters ?? 0;
  const stage = figures ? STAGE_TEXT[stageOf(waiters, maxWaiters, view.isRefusing)] : 'no answer from the router';
  const nameWidth = Math.max(...(figures?.nodes ?? []).map(({ name }) => name.length), 7);
  const nodes = (figures?.nodes ?? []).map(
    ({ name, slots, taken, state }) =>
      `  ${name.padEnd(nameWidth)} ${bar(taken, slots)} ${taken}/${slots} slots${state === 'ready' ? '' : ` (${state})`}`,
  );
  const { served, refused, timedOut, failed, gone } = tally.counts;
  return [
    `Weir demonstration   ${seconds(Math.min(view.elapsedMs, view.totalMs))} of ${seconds(view.totalMs)} s   ${view.phase}`,
    `  ${view.fleet}`,
    '',
    `  ${'clients'.padEnd(nameWidth)} ${bar(view.clients, view.mostClients)} ${view.clients}`,
    `  ${'waiting'.padEnd(nameWidth)} ${roomBar(waiters, maxWaiters)} ${waiters} of ${maxWaiters}   ${stage}`,
    ...nodes,
    '',
    `  sent ${tally.sent}   served ${served} (${tally.servedPerSecond(view.elapsedMs).toFixed(1)}/s)   refused ${refused}   ` +
      `timed out ${timedOut}   failed ${failed}   gone ${gone}`,
    `  wait in the router, last 10 s   p50 ${milliseconds(tally.waitMs(0.5, 'recent'))}   p95 ${milliseconds(tally.waitMs(0.95, 'recent'))}`,
    '',
    `  ${legend}`,
  ];
}

/** The same on one line. */
export function plainLine(view: View): string {
  const { figures, tally, maxWaiters } = view;
  const { served, refused, timedOut, failed, gone } = tally.counts;
  const load = (figures?.nodes ?? []).map(({ name, taken, slots }) => `${name} ${taken}/${slots}`).join(' ');
  const waiters = figures?.waiters ?? 0;
  const stage = figures ? stageOf(waiters, maxWaiters, view.isRefusing) : 'no answer';
  return (
    `${String(Math.floor(view.elapsedMs / 1000)).padStart(3)} s  clients ${view.clients}  waiting ${waiters}/${maxWaiters} (${stage})  ` +
    `served ${served}  refused ${refused}  timed out ${timedOut}  failed ${failed}  gone ${gone}  ` +
    `wait p50 ${milliseconds(tally.waitMs(0.5, 'recent'))} p95 ${milliseconds(tally.waitMs(0.95, 'recent'))}  ${load}`
  );
}

/** Draws views on a stream. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #isLive: boolean;
  /** Lines on the terminal that the next view replaces; elsewhere, views shown. */
  #drawn = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#isLive = out.isTTY;
  }

  /** Ms between two views. */
  get everyMs(): number {
    return this.#isLive ? 200 : 1000;
  }

  show(view: View): void {
    if (!this.#isLive) {
      if (this.#drawn++ === 0) this.#out.write(`${legend}\n`);
      this.#out.write(`${plainLine(view)}\n`);
      return;
    }
    // A line that wraps would throw the count of lines off.
    const width = Math.max(20, this.#out.columns - 1);
    const lines = picture(view).flatMap((line) => wrap(line, width));
    const rest = Math.max(0, this.#drawn - lines.length);
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : '';
    const cleared = [...lines, ...Array.from({ length: rest }, () => '')];
    this.#out.write(`${up}${cleared.map((line) => `${CLEAR_LINE}${line}\n`).join('')}`);
    this.#drawn = cleared.length;
  }

  say(line: string): void {
    this.#out.write(`${line}\n`);
    if (this.#isLive) this.#drawn = 0;
  }
}

/** Filled as far as `value` of `most`. */
function bar(value: number, most: number): string {
  const filled = most > 0 ? Math.min(BAR, Math.round((value / most) * BAR)) : 0;
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
}

/** The waiting room, with marks where delaying and refusing begin. */
function roomBar(waiters: number, maxWaiters: number): string {
  const plain = bar(waiters, maxWaiters);
  const [delay, refuse] = [Math.round(BAR * 0.5), Math.round(BAR * 0.8)];
  return `${plain.slice(0, delay)}|${plain.slice(delay, refuse)}|${plain.slice(refuse)}`;
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1000)).padStart(2);
}

function milliseconds(ms: number | null): string {
  if (ms === null) return '-';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Breaks a line at spaces, keeping its indent. */
export function wrap(line: string, width: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const cut = space > indent.length ? space : width;
    lines.push(rest.slice(0, cut));
    rest = `${indent}${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}
