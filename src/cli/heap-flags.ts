import { realpathSync } from 'node:fs';
import { processEnvironment } from '../config/sources/environment.ts';

// Node's own settings of the heap are for programs that finish soon. A router holds thousands of open answers, and each of them is a few KB
// that a young generation of 16 MB (Node's default) copies twice, many at once: pauses of 10 to 25 ms in which no answer moves, and a
// process that grows to 200 MB. In a young generation of 4 MB the pauses are 1 to 2 ms, at the same CPU time (docs/decisions/0013).
//
// V8 takes this size only before it starts, so a program cannot set it for itself, and neither a `#!` line nor npm's launchers can
// carry it everywhere. `process.execve` can: it replaces the process by one with the flags, same pid, terminal and environment, no second
// process, some 50 ms once. Where there is none (Windows), or somebody else holds on to this process, the router runs without them.

export const heapFlags: readonly string[] = ['--max-semi-space-size=4'];

export interface StartedProcess {
  /** Options of Node itself. */
  readonly execArgv: readonly string[];
  /** Node's path, the program, its arguments. */
  readonly argv: readonly string[];
  readonly nodeOptions: string | undefined;
  /** A parent talks to this process by a channel, which would be lost: it was forked, or is watched. */
  readonly hasChannel: boolean;
}

/** Does not return where this process, started by running `program` (an absolute path without links), is replaced. */
export function restartWithHeapFlags(program: string): void {
  if (process.execve === undefined) return;
  const { execArgv, argv, channel, execPath } = process;
  const nodeOptions = processEnvironment()['NODE_OPTIONS'];
  const hasChannel = channel !== undefined && channel !== null;
  const again = restartArguments({ execArgv, argv, nodeOptions, hasChannel }, program);
  if (again !== null) process.execve(execPath, again);
}

/**
 * The arguments with which to start the router anew, Node's path first; null where it is to run as it is: not asked to serve, the
 * flags are there, others were chosen, a debugger or a parent is connected, or it is not `program` that was started.
 */
export function restartArguments(started: StartedProcess, program: string): readonly string[] | null {
  const [node, file, ...words] = started.argv;
  if (node === undefined || file === undefined || words[0] !== 'serve' || started.hasChannel) return null;
  const chosen = [...started.execArgv, started.nodeOptions ?? ''].join(' ');
  if (/semi[-_]space[-_]size|--inspect/.test(chosen)) return null;
  // A package's command is a link to its program.
  return realpathSync(file) === program ? [node, ...heapFlags, ...started.execArgv, file, ...words] : null;
}
