// Tables for people. Names and details come from engines and clients: whatever could move the cursor or colour the terminal is replaced.

export interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => string | number | null;
  /** Numbers stand at the right. */
  readonly isNumber?: true;
}

const GAP = '  ';

/** A heading and a line per row; `none` where there is no row. Ends with a line break. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], none: string): string {
  if (rows.length === 0) return `${none}\n`;
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => cell(of(row))))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((text, at) => (columns[at]?.isNumber ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Names and values, one a line. */
export function listing(pairs: readonly (readonly [string, string | number | null])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}${GAP}${cell(value)}\n`).join('');
}

/** One line of what may be printed; a dash for nothing. */
export function cell(value: string | number | null): string {
  if (value === null || value === '') return '-';
  return printable(String(value));
}

/** Without control characters, line breaks among them. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
