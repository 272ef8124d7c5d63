// Plots as SVG, drawn by hand: horizontal bars with their spread, on a logarithmic scale where the values need it. No fonts but the viewer's
// own, and colours that are told apart in grey too.

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly isOurs: boolean;
}

const WIDTH = 760;
const LEFT = 130;
const RIGHT = 110;
const ROW = 26;
const TOP = 46;
const BOTTOM = 30;
const WIDE = 20;

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Horizontal bars, one per candidate, shortest first. Bars without a value are left out. */
export function bars(title: string, unit: string, given: readonly Bar[]): string {
  const shown = given.filter(({ value }) => Number.isFinite(value) && value > 0).toSorted((a, b) => a.value - b.value);
  const largest = Math.max(...shown.map(({ max }) => max));
  const smallest = Math.min(...shown.map(({ min }) => min));
  const isLog = largest / smallest > WIDE;
  const floor = isLog ? smallest / 1.5 : 0;
  const span = WIDTH - LEFT - RIGHT;
  const x = (value: number): number => {
    const share = isLog ? Math.log(Math.max(value, floor) / floor) / Math.log(largest / floor) : value / (largest || 1);
    return LEFT + share * span;
  };
  const at = (value: number): string => x(value).toFixed(1);
  const height = TOP + shown.length * ROW + BOTTOM;
  const rows = shown.map(({ name, value, min, max, isOurs }, place) => {
    const y = TOP + place * ROW;
    const middle = y + ROW / 2 - 2;
    return [
      `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end"${isOurs ? ' font-weight="bold"' : ''}>${escape(name)}</text>`,
      `<rect x="${LEFT}" y="${y + 3}" width="${(x(value) - LEFT).toFixed(1)}" height="${ROW - 10}" fill="${isOurs ? '#0b6e99' : '#a9b4bd'}"/>`,
      `<path d="M${at(min)} ${middle}H${at(max)}M${at(min)} ${middle - 4}v8M${at(max)} ${middle - 4}v8" stroke="#222" fill="none"/>`,
      `<text x="${(x(Math.max(value, max)) + 6).toFixed(1)}" y="${middle + 4}">${short(value)}</text>`,
    ].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" font-size="15">${escape(title)}</text>
${rows.join('\n')}
<text x="${LEFT}" y="${height - 10}" fill="#555">${escape(unit)}${isLog ? ', logarithmic' : ''}; bar: median, line: least and most of the rounds</text>
</svg>
`;
}
