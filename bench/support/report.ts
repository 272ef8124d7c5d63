import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The value below which the share `q` (0 to 1) of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes `bench/results/NAME.json` with what is needed to judge it: machine, runtime, commit, command. */
export function writeResult(name: string, command: string, result: object): void {
  const folder = fileURLToPath(new URL('../results', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  const about = { measuredAt: new Date().toISOString(), commit, command, machine, node: process.version };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ ...about, ...result }, null, 2)}\n`);
}

/** Prints one line per goal and returns whether all hold. */
export function judge(
  goals: readonly { readonly goal: string; readonly holds: boolean; readonly seen: string }[],
): boolean {
  for (const { goal, holds, seen } of goals) say(`${holds ? 'holds ' : 'MISSED'}  ${goal}: ${seen}`);
  return goals.every(({ holds }) => holds);
}
