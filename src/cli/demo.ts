import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, Failure } from './failure.ts';

// The demonstration brings simulated engines and a crowd, which the published package has not: they are a checkout's. It runs as a process
// of its own, since it starts the router as any user would.

const program = join(import.meta.dirname, '../../tools/demo/demo.ts');

export function hasDemo(): boolean {
  return existsSync(program);
}

/** Runs the demonstration in this terminal; resolves with its exit code. Throws `Failure` where there is none. */
export async function runDemo(args: readonly string[]): Promise<number> {
  if (!hasDemo()) {
    throw new Failure(
      exitCodes.failed,
      'The demonstration is not in the package: it brings engines of its own. Take a checkout, and there run: npm run demo',
    );
  }
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? exitCodes.failed));
  });
}
