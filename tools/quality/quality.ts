import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { phases, type Step } from './steps.ts';

// `npm run quality`: every check of the project, one line each with its seconds, and the whole output of those that fail.
// All steps run even after a failure, so that one run tells everything.

const root = join(import.meta.dirname, '../..');

interface Ended {
  readonly passed: boolean;
  readonly output: string;
}

function run({ args }: Step): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => (output += chunk));
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ passed: false, output: String(error) }));
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

const failed: string[] = [];
let passedCount = 0;

async function runLane(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const startedAt = performance.now();
    const { passed, output } = await run(step);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
    const closing = closingLine(output);
    process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${seconds} s  ${step.name}${closing}\n`);
    if (passed) passedCount += 1;
    else {
      failed.push(step.name);
      process.stdout.write(`${withoutPasses(output).trimEnd().replaceAll(/^/gm, '    ')}\n`);
    }
  }
}

/** Without the lines that Node's test runner prints for tests that passed. */
function withoutPasses(output: string): string {
  return output.replaceAll(/^\s*✔ .*\n/gm, '');
}

/** The counts that Node's test runner closes with, in brackets; empty for other steps. */
function closingLine(output: string): string {
  const count = (word: string): string | undefined => new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(output)?.[1];
  const pass = count('pass');
  return pass === undefined ? '' : ` (${pass} passed, ${count('fail')} failed, ${count('skipped')} skipped)`;
}

const startedAt = performance.now();
for (const lanes of phases) await Promise.all(lanes.map(runLane));
const total = ((performance.now() - startedAt) / 1000).toFixed(1);
process.stdout.write(
  `${passedCount} checks passed, ${failed.length} failed in ${total} s${failed.map((name) => `, ${name}`).join('')}\n`,
);
process.exitCode = failed.length > 0 ? 1 : 0;
