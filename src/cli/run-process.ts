import { closeSync, openSync, readFileSync } from 'node:fs';
import { processEnvironment } from '../config/sources/environment.ts';
import { systemClock } from '../lib/clock.ts';
import type { StartApp } from './app.ts';
import { hasDemo, runDemo } from './demo.ts';
import { run } from './program.ts';
import { processTerminal } from './terminal.ts';

// How long something left open may keep the process after everything was stopped.
const LINGER_MS = 1000;

/** Runs this process's command line and sets its exit code. */
export async function runProcess(): Promise<void> {
  // A reader of our output that goes away (`| head -1`) must not take the router with it.
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);
  const code = await run(process.argv.slice(2), {
    startApp,
    version: packageVersion(),
    hasDemo: hasDemo(),
    runDemo,
    signals: process,
    now: () => systemClock.now(),
    hasLostTerminal,
    clock: systemClock,
    terminal: processTerminal(),
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    exit: (status) => process.exit(status),
    env: processEnvironment(),
    cwd: process.cwd(),
  });
  process.exitCode = code;
  setTimeout(() => process.exit(code), LINGER_MS).unref();
}

function ignore(): void {}

/** A process of a terminal that was closed cannot open it any more. */
function hasLostTerminal(): boolean {
  if (!process.stdin.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}

// Loaded only when a router is started, so that --help and `config check` stay quick.
const startApp: StartApp = async (settings, hooks) => {
  const app = await import('../app-state.ts');
  return await app.startApp(settings, hooks);
};

/** From package.json, which lies one level above both src/ and dist/. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('version' in parsed)) return 'unknown';
  return typeof parsed.version === 'string' ? parsed.version : 'unknown';
}
