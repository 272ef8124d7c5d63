import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { candidatesOf } from './candidates/candidates.ts';
import { LOAD_CORE } from './candidates/spawned.ts';
import type { Part } from './parts/part.ts';
import { parts } from './parts/parts.ts';
import { type PartResult, runPart } from './parts/run-part.ts';
import { judgeGoals } from './report/goals.ts';
import { sayTable } from './report/table.ts';
import { writeResults } from './report/write-results.ts';
import { measureNoise, type Noise, sayNoise } from './support/noise.ts';
import { say } from './support/report.ts';

// `npm run bench [-- PART … OPTIONS]`: Weir beside others, in turns, on a machine of its own if possible. The router has one core to itself;
// this process, which is both the clients and the nodes, has the other. docs/performance.md says what the parts are.

const LOOK = ['json', 'sse', 'sse1000', 'clients500', 'refuse'];

const usage = `npm run bench -- [PART …] [--quick] [--rounds N] [--only NAME,…] [--weir REF] [--baseline REF] [--variant NAME=FLAGS]

  PART             ${parts.map(({ name }) => name).join(' ')}; all of them without one
  --quick          2 rounds of half the length; without PART only ${LOOK.join(' ')}, beside nginx
  --rounds N       rounds per candidate (5)
  --only A,B       only these candidates
  --weir REF       measure this commit instead of the working tree
  --overlay PATH   lay this path of the working tree over that commit (HEAD)
  --baseline REF   and this commit beside it
  --write NAME     keep the results as bench/results/NAME.json, NAME.md and plots
  --variant N=F    and Weir with these flags of Node, "--", and flags of weir serve: 'young=--max-semi-space-size=16 -- --log-level=warn'
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    weir: { type: 'string' },
    overlay: { type: 'string', multiple: true },
    baseline: { type: 'string', multiple: true },
    variant: { type: 'string', multiple: true },
    write: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function isCalled({ name, group }: Part, word: string): boolean {
  return name === word || group === word;
}

async function bench(): Promise<void> {
  const unknown = positionals.filter((word) => !parts.some((part) => isCalled(part, word)));
  if (values.help || unknown.length > 0) {
    say(unknown.length > 0 ? `There is no part ${unknown.join(', ')}.\n\n${usage}` : usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds}: write a whole number from 1`);
  const effort = { rounds, scale: values.quick ? 0.5 : 1 };
  // Without names a quick run takes a look at Weir beside nginx; who names parts or candidates gets just those.
  const isLook = values.quick && positionals.length === 0;
  const words = positionals.length > 0 ? positionals : isLook ? LOOK : parts.map(({ name }) => name);
  const asked = parts.filter((part) => words.some((word) => isCalled(part, word)));
  const only = values.only?.split(',') ?? (isLook ? ['direct', 'weir', 'nginx'] : undefined);
  const { weir, overlay, baseline, variant } = values;
  using gathered = candidatesOf({ only, weir, overlay, baseline, variant });
  for (const { name, absent } of gathered.absent) say(`without ${name}: ${absent}`);
  execFileSync('taskset', ['-a', '-cp', String(LOAD_CORE), String(process.pid)]);
  const startedAt = new Date().toISOString();
  const results: PartResult[] = [];
  const noises: Noise[] = [];
  for (const part of asked) {
    say(`\n${part.name}: ${part.title}`);
    const noise = measureNoise();
    say(`  noise: ${sayNoise(noise)}`);
    const result = await runPart(part, gathered.present, effort);
    say(sayTable(result));
    results.push(result);
    noises.push(noise);
  }
  const open = judgeGoals(results).filter(({ verdict }) => verdict !== 'open');
  for (const { goal, wanted, atLeast, seen, verdict } of open) {
    say(`${verdict.padEnd(8)}  ${goal}: ${seen} (goal ${wanted}, at least ${atLeast})`);
  }
  if (values.write === undefined) return;
  const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`;
  say(writeResults({ name: values.write, command, results, noises, absent: gathered.absent, startedAt }));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.setMaxListeners(0);
try {
  await bench();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
