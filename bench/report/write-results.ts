import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../candidates/places.ts';
import type { Absent } from '../candidates/candidate.ts';
import type { PartResult } from '../parts/run-part.ts';
import { writeResult } from '../support/report.ts';
import type { Noise } from '../support/noise.ts';
import { sayNoise } from '../support/noise.ts';
import { type Bar, bars } from './bars.ts';
import { judgeGoals } from './goals.ts';
import { countedRounds, figureOf, tableOf } from './table.ts';

// bench/results/: one JSON file with every round, a report to read, and a plot of CPU time per part. Only a full run is worth keeping; the
// report says what it ran with, and every number in it is in the JSON.

export interface Run {
  readonly name: string;
  readonly command: string;
  readonly results: readonly PartResult[];
  readonly noises: readonly Noise[];
  readonly absent: readonly Absent[];
  readonly startedAt: string;
}

/** A run's own folder says nothing to a reader. */
const temporary = new RegExp(`${tmpdir()}/weir-bench-[^/\\s]*/?`, 'g');

/** The run that the page for users shows. */
const PUBLISHED = 'comparison';
const BEGIN = `<!-- made from bench/results/${PUBLISHED}.json -->`;
const END = '<!-- end of what is made -->';

const cells = (row: readonly string[]): string => `| ${row.join(' | ')} |`;

function markdownTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [cells(head), cells(head.map(() => '---')), ...rows.map(cells)].join('\n');
}

function barsOf({ part, entries }: PartResult): string {
  const shown = entries
    .filter((entry) => entry.candidate.kind !== 'harness' && entry.rounds.length > 0 && !countedRounds(entry).isFlawed)
    .map((entry): Bar => {
      const { median: value, min, max } = figureOf(entry, ({ cpuMicros }) => cpuMicros);
      return { name: entry.candidate.name, value, min, max, isOurs: entry.candidate.kind === 'weir' };
    });
  return bars(part.title, `CPU µs per ${part.unit}, whole process`, shown);
}

/** Writes the JSON, the plots and the report; returns the report's path. */
export function writeResults({ name, command, results, noises, absent, startedAt }: Run): string {
  const folder = join(root, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const goals = judgeGoals(results);
  const candidates = new Map(
    results.flatMap(({ entries }) => entries.map(({ candidate }) => [candidate.name, candidate])),
  );
  const about = Array.from(candidates.values(), (candidate) => ({
    name: candidate.name,
    kind: candidate.kind,
    version: candidate.version,
    configuration: candidate.configuration().replaceAll(temporary, ''),
  }));
  writeResult(name, command, {
    startedAt,
    goals,
    candidates: about,
    absent,
    noises,
    parts: results.map(({ part: { name: partName, title, unit }, entries }) => ({
      name: partName,
      title,
      unit,
      entries: entries.map(({ candidate, ...entry }) => ({ name: candidate.name, ...entry })),
    })),
  });
  const sections = results.map((result) => {
    const { part } = result;
    const plot = `${name}-${part.name}.svg`;
    if (part.name !== 'idle') writeFileSync(join(folder, plot), barsOf(result));
    const picture = part.name === 'idle' ? idleTable(result) : `![${part.title}](${plot})`;
    return `## ${part.name}: ${part.title}\n\n${markdownTable(tableOf(result))}\n\n${picture}`;
  });
  const rows = goals.map((each) => [each.goal, each.wanted, each.atLeast, each.seen, each.verdict]);
  const goalsTable = markdownTable([['', 'goal', 'at least', 'seen', ''], ...rows]);
  const report = `# What Weir and others need

Written by \`${command}\`, ${startedAt}; every round is in [${name}.json](${name}.json). What the columns mean:
[docs/performance.md](../../docs/performance.md).

## Goals

${goalsTable}

${sections.join('\n\n')}

## Noise

A fixed piece of work, repeated on each core before every part:

${noises.map((noise, n) => `- ${results[n]?.part.name ?? ''}: ${sayNoise(noise)}`).join('\n')}

## Who was measured, and how it was configured

${about.map((each) => `**${each.name}** ${each.version}\n\n\`\`\`\n${each.configuration.trim()}\n\`\`\``).join('\n\n')}

## Who was not

${absent.map(({ name: missing, absent: reason }) => `- ${missing}: ${reason}`).join('\n') || 'Nobody.'}
`;
  const path = join(folder, `${name}.md`);
  writeFileSync(path, report);
  if (name === PUBLISHED) publish(results, goalsTable);
  return path;
}

/** Puts the figures into the page for users, so that no number there was typed by hand. */
function publish(results: readonly PartResult[], goalsTable: string): void {
  const page = join(root, 'docs/performance.md');
  const tables = results
    .filter(({ part }) => part.name === 'json' || part.name === 'sse')
    .map(
      (result) =>
        `${result.part.title}:\n\n${markdownTable(tableOf(result))}\n\n![${result.part.title}](../bench/results/${PUBLISHED}-${result.part.name}.svg)`,
    );
  const written = readFileSync(page, 'utf8');
  const [before, rest = ''] = written.split(BEGIN);
  const [, after = ''] = rest.split(END);
  writeFileSync(page, `${before}${BEGIN}\n\n${[goalsTable, ...tables].join('\n\n')}\n\n${END}${after}`);
}

function whole(value: number): string {
  return Number.isFinite(value) ? value.toFixed(0) : '–';
}

/** Memory and start-up of every candidate. */
function idleTable({ entries }: PartResult): string {
  const rows = entries
    .filter(({ candidate, failure }) => candidate.kind !== 'harness' && failure === null)
    .map(({ candidate, idle, startMs }) => [candidate.name, whole(idle.rssMb), whole(idle.anonMb), whole(startMs)]);
  return markdownTable([['', 'RSS at rest MB', 'RssAnon at rest MB', 'start to first answer ms'], ...rows]);
}
