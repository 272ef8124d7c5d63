import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestResult } from './json-lines.ts';
import type { Mutation, Proof } from './seed-row.ts';

// A test proves a line of code only if it fails without that line. Each proof names one line, a change to it, and the
// test that must notice. The change is made in a copy of the checkout, never in the checkout itself, and counts as
// noticed only if that very test ran and failed: a file that no longer loads fails every test and proves nothing.
// Lanes run side by side, each with a copy of its own.

/** What every copy gets; node_modules is linked. */
const copied = [
  'src',
  'sim',
  'test',
  'tools',
  'docs',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  '.oxlintrc.json',
];
const skipped = /(^|\/)(node_modules|\.cache|dist)(\/|$)/;

/** A test that a mutation makes wait for ever is ended after this; it then counts as failed. */
const testTimeoutMs = 10_000;
/** A mutation that makes code loop without end leaves no room for that; everything is killed. */
const killAfterMs = 15_000;

/** Applies the mutation, or says why it cannot be: `find` must occur exactly once, on one line, and change. */
export function mutate(
  text: string,
  { find, replace }: Mutation,
): { readonly text: string } | { readonly problem: string } {
  if (find === '' || find === replace) return { problem: 'the mutation changes nothing' };
  if (find.includes('\n')) return { problem: 'the mutation is longer than one line' };
  const occurrences = text.split(find).length - 1;
  if (occurrences !== 1) return { problem: `"${find}" occurs ${occurrences} times, not once` };
  return { text: text.replace(find, () => replace) };
}

/** What is wrong with the proof, judged by the named test's results without and with the mutation; null for a proof that holds. */
export function judge(testName: string, before: readonly TestResult[], after: readonly TestResult[]): string | null {
  const named = (results: readonly TestResult[]): TestResult[] => results.filter(({ name }) => name === testName);
  const [first, ...others] = named(before);
  if (!first) return `no test named "${testName}" ran`;
  if (others.length > 0) return `${others.length + 1} tests are named "${testName}"`;
  if (!first.passed) return 'the test fails without the mutation';
  const mutated = named(after);
  if (mutated.length === 0) return 'with the mutation the test file does not run to its end; choose one that lets it';
  return mutated.some(({ passed }) => !passed)
    ? null
    : 'the test passes with the mutation: it does not guard this line';
}

/** Runs one test of one file by name; a file that cannot be run gives results of other names, or none. */
export function runNamedTest(folder: string, testFile: string, testName: string): Promise<TestResult[]> {
  const pattern = `/^${testName.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)}$/`;
  const { NODE_TEST_CONTEXT: _nested, ...env } = process.env;
  const runner = spawn(
    process.execPath,
    [
      '--test',
      `--test-reporter=${join(import.meta.dirname, 'json-lines.ts')}`,
      '--test-reporter-destination=stdout',
      `--test-name-pattern=${pattern}`,
      `--test-timeout=${testTimeoutMs}`,
      testFile,
    ],
    // In a group of its own, so that the runner's children can be killed with it.
    { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'], detached: true },
  );
  const killer = setTimeout(() => process.kill(-(runner.pid ?? 0), 'SIGKILL'), killAfterMs);
  runner.stdout.setEncoding('utf8');
  let output = '';
  runner.stdout.on('data', (chunk: string) => (output += chunk));
  return new Promise((resolve, reject) => {
    runner.on('error', reject);
    runner.on('close', () => {
      clearTimeout(killer);
      const lines = output.split('\n').filter((line) => line.startsWith('{'));
      resolve(lines.map((line): TestResult => JSON.parse(line)));
    });
  });
}

/** Checks one proof in `folder`, a copy that it may change and leaves as it was. Null where the proof holds. */
async function checkProof(folder: string, { file, testFile, testName, mutation }: Proof): Promise<string | null> {
  for (const path of [file, testFile]) if (!existsSync(join(folder, path))) return `${path} does not exist`;
  const original = readFileSync(join(folder, file), 'utf8');
  const mutated = mutate(original, mutation);
  if ('problem' in mutated) return mutated.problem;
  const before = await runNamedTest(folder, testFile, testName);
  writeFileSync(join(folder, file), mutated.text);
  const after = await runNamedTest(folder, testFile, testName);
  writeFileSync(join(folder, file), original);
  return judge(testName, before, after);
}

/** Checks every proof, `lanes` at a time, in temporary copies of `root`; returns one line per proof that does not hold. */
export async function checkProofs(root: string, proofs: readonly Proof[], lanes: number): Promise<string[]> {
  const problems: string[] = [];
  const waiting = [...proofs];
  const lane = async (): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), `weir-mutations-${process.pid}-`));
    try {
      copyCheckout(root, folder);
      for (let proof = waiting.shift(); proof; proof = waiting.shift()) {
        const problem = await checkProof(folder, proof);
        if (problem !== null) problems.push(`${proof.file} ("${proof.mutation.find}"), ${proof.testFile}: ${problem}`);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return problems;
}

function copyCheckout(root: string, folder: string): void {
  for (const name of copied) {
    const from = join(root, name);
    if (!existsSync(from)) continue;
    const isWanted = (path: string): boolean => !skipped.test(path.slice(root.length));
    cpSync(from, join(folder, name), { recursive: true, filter: isWanted });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}
