import { EventEmitter } from 'node:events';
import { run, type Process } from '../../src/cli/program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { temporaryDirectory } from './settings.ts';

// The command line in this process, in a terminal of 80 by 24 that a test sees, presses keys in, and whose time passes when it says so.

export interface WeirTerminal {
  /** All that was written to it so far, both streams. */
  seen(): string;
  press(key: string): void;
  /** Ends the sleep that the command is in. */
  tick(): void;
  interrupt(): void;
  /** Runs `weir ARGS…` against the router at this admin address; resolves with the exit code. */
  run(args: readonly string[], adminUrl: string): Promise<number>;
}

export function weirTerminal(isTty = true): WeirTerminal {
  const events = new EventEmitter();
  const signals = new EventEmitter();
  const cwd = temporaryDirectory();
  let seen = '';
  const write = (text: string): void => void (seen += text);
  const host: Process = {
    startApp: () => Promise.reject(new Error('this test starts nothing')),
    version: '1.2.3',
    hasDemo: false,
    runDemo: () => Promise.resolve(0),
    signals,
    now: () => 0,
    clock: systemClock,
    stdout: write,
    stderr: write,
    exit: () => undefined,
    env: { HOME: cwd, WEIR_ADMIN_TOKEN: 'test-token' },
    cwd,
    terminal: {
      isTty,
      isErrorTty: isTty,
      size: () => ({ columns: 80, rows: 24 }),
      onKey: (listener) => {
        events.on('key', listener);
        return () => void events.off('key', listener);
      },
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) resolve();
          events.once('tick', () => resolve());
          signal?.addEventListener('abort', () => resolve());
        }),
    },
  };
  return {
    seen: () => seen,
    press: (key) => void events.emit('key', key),
    tick: () => void events.emit('tick'),
    interrupt: () => void signals.emit('SIGINT', 'SIGINT'),
    run: (args, adminUrl) => run([...args, '--admin', adminUrl], host),
  };
}
