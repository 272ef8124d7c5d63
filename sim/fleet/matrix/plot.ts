import { meanOf, type Cell } from './cell.ts';
import type { Standing } from './standing.ts';

// Goodput by load as an SVG: ours told and untold, and at each load the best of the others as shipped and behind our room. Whiskers are the
// least and the most of the seeds.

const WIDTH = 560;
const HEIGHT = 300;
const LEFT = 48;
const RIGHT = 16;
const TOP = 34;
const BOTTOM = 74;

const lines = [
  { label: 'adaptive, objective told', colour: '#0a6', read: (at: Standing): Cell => at.ours },
  { label: 'adaptive, untold', colour: '#6c9', read: (at: Standing): Cell => at.untold },
  { label: 'best as shipped', colour: '#c33', read: (at: Standing): Cell => at.bestShipped },
  { label: 'best behind our room, told', colour: '#36c', read: (at: Standing): Cell => at.bestBehind },
];

/** One scenario's standings, by load. */
export function plotOf(title: string, standings: readonly Standing[]): string {
  const loads = standings.map(({ load }) => load);
  const [least, most] = [Math.min(...loads), Math.max(...loads)];
  const x = (load: number): number => LEFT + ((load - least) / (most - least || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (share: number): number => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 20, `${title}: goodput by load`, 'font-weight="bold"'),
  ];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(`<path d="M${LEFT} ${y(share)}H${WIDTH - RIGHT}" stroke="#ddd"/>`);
    parts.push(text(LEFT - 6, y(share) + 4, share.toFixed(2), 'text-anchor="end"'));
  }
  for (const load of loads) parts.push(text(x(load), y(0) + 18, String(load), 'text-anchor="middle"'));
  for (const [nth, { label, colour, read }] of lines.entries()) {
    const points = standings.map((standing) => {
      const { goodput } = read(standing).figures;
      const at = x(standing.load) + 2 * (nth - 1.5);
      parts.push(
        `<path d="M${at.toFixed(1)} ${y(Math.min(...goodput)).toFixed(1)}V${y(Math.max(...goodput)).toFixed(1)}" stroke="${colour}" opacity="0.5"/>`,
      );
      return `${at.toFixed(1)},${y(meanOf(goodput)).toFixed(1)}`;
    });
    parts.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    const [legendX, legendY] = [LEFT + (nth % 2) * 250, HEIGHT - 32 + 18 * Math.floor(nth / 2)];
    parts.push(`<path d="M${legendX} ${legendY - 4}h22" stroke="${colour}" stroke-width="3"/>`);
    parts.push(text(legendX + 28, legendY, label, ''));
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`;
  return `${[head, ...parts, '</svg>'].join('\n')}\n`;
}

function text(x: number, y: number, words: string, more: string): string {
  return `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" ${more}>${words}</text>`;
}
