import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';

// The engine's log, as lines that are new since they were asked for last. From a file: what was appended, from its end at the start;
// a file that became shorter was rotated and is read anew. From a command that follows a log (`journalctl -f`, `docker logs -f`):
// what it printed. A heartbeat carries so much and no more; of a log that grows faster the oldest lines are let go.

const MOST_BYTES = 128 * 1024;
const MOST_LINES = 1000;
const RESTART_MS = 5000;

export interface LogSource {
  /** The lines since the last call, oldest first. Never rejects: what cannot be read is told as a line. */
  take(): Promise<readonly string[]>;
  stop(): void;
}

export function fileLog(path: string): LogSource {
  let position: number | null = null;
  let rest = '';
  let trouble = '';
  return {
    take: async () => {
      try {
        await using file = await open(path);
        const { size } = await file.stat();
        if (position === null || position > size) rest = '';
        const from = Math.max(position === null || position > size ? 0 : position, size - MOST_BYTES);
        const isCut = from > (position ?? 0);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
        position = from + bytesRead;
        trouble = '';
        const lines = `${isCut ? '' : rest}${buffer.toString('utf8', 0, bytesRead)}`.split(/\r?\n/);
        rest = lines.pop() ?? '';
        return (isCut ? lines.slice(1) : lines).slice(-MOST_LINES);
      } catch (error) {
        const why = `weir agent: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
        if (why === trouble) return [];
        trouble = why;
        return [why];
      }
    },
    stop: () => undefined,
  };
}

/** Runs `command` by the shell, again whenever it ends. */
export function commandLog(command: string, clock: Clock): LogSource {
  let lines: string[] = [];
  let bytes = 0;
  let isStopped = false;
  let child: ChildProcess | null = null;
  const keep = (line: string): void => {
    lines.push(line);
    bytes += line.length;
    while (lines.length > MOST_LINES || bytes > MOST_BYTES) bytes -= lines.shift()?.length ?? 0;
  };
  const run = (): void => {
    if (isStopped) return;
    const running = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    child = running;
    for (const stream of [running.stdout, running.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        const parts = `${rest}${text}`.slice(-MOST_BYTES).split(/\r?\n/);
        rest = parts.pop() ?? '';
        for (const line of parts) keep(line);
      });
    }
    running.once('error', (error) => keep(`weir agent: ${command}: ${error.message}`));
    running.once('close', (code) => {
      child = null;
      if (isStopped) return;
      keep(`weir agent: the log command ended with ${code}; starting it again`);
      clock.after(RESTART_MS, run);
    });
  };
  run();
  return {
    take: () => {
      const taken = lines;
      lines = [];
      bytes = 0;
      return Promise.resolve(taken);
    },
    stop: () => {
      isStopped = true;
      // The shell may have started others: the group ends.
      if (child?.pid !== undefined) endGroup(child.pid);
    },
  };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}
