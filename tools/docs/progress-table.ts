import type { Proof, SeedRow } from '../quality/seed-row.ts';

const tableStart = '<!-- table: made by npm run docs from tools/quality/seed-rows.ts -->';
const tableEnd = '<!-- end of table -->';

/** The Markdown table of the seed tasks, one line per proof. */
export function progressTable(rows: readonly SeedRow[]): string {
  const lines = rows.flatMap(({ task, asks, proofs, later }) => {
    const proven = proofs.map((proof, at) => line(at === 0 ? task : '', at === 0 ? asks : '', ...proofCells(proof)));
    if (later === undefined) return proven;
    const isFirst = proofs.length === 0;
    return [...proven, line(isFirst ? task : '', isFirst ? asks : '', `not yet: ${later}`, '', '')];
  });
  return [
    line('task', 'what it asks', 'file', 'test', 'mutation that the test must notice'),
    line('---', '---', '---', '---', '---'),
    ...lines,
  ].join('\n');
}

function proofCells({ file, testFile, testName, mutation }: Proof): [string, string, string] {
  return [link(file), `${link(testFile)}: ${escape(testName)}`, `${code(mutation.find)} → ${code(mutation.replace)}`];
}

function line(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function link(path: string): string {
  return `[${path}](../${path})`;
}

function escape(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
}

function code(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '(removed)';
  const fence = trimmed.includes('`') ? '``' : '`';
  return `${fence}${fence === '``' ? ` ${trimmed} ` : trimmed}${fence}`.replaceAll('|', String.raw`\|`);
}

/** `page` with the table between its two markers replaced. Throws where a marker is missing. */
export function withTable(page: string, table: string): string {
  const start = page.indexOf(tableStart);
  const end = page.indexOf(tableEnd);
  if (start < 0 || end < start) throw new Error(`docs/progress.md needs the lines "${tableStart}" and "${tableEnd}"`);
  return `${page.slice(0, start + tableStart.length)}\n\n${table}\n\n${page.slice(end)}`;
}
