import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';

// A child process that does not outlive us. On an ordinary exit we kill it; when we are killed ourselves no code of ours
// runs, so on Linux the kernel is asked beforehand, through setpriv of util-linux (it replaces itself by the command,
// so the process id stays). Where setpriv is absent a killed parent leaves the child behind.

const setpriv = '/usr/bin/setpriv';

export type TiedProcess = ChildProcessByStdio<null, Readable, Readable>;

/** Starts `command` with its output piped; it is killed with SIGKILL when this process ends, however that happens. */
export function spawnTied(
  command: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string },
): TiedProcess {
  const isTiedByKernel = process.platform === 'linux' && existsSync(setpriv);
  const child = spawn(
    isTiedByKernel ? setpriv : command,
    isTiedByKernel ? ['--pdeathsig', 'KILL', '--', command, ...args] : args,
    { ...options, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  child.once('exit', () => process.off('exit', killNow));
  return child;
}

export function hasEnded(child: TiedProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Kills the child, unless it has ended, and resolves when it is gone. */
export async function killTied(child: TiedProcess): Promise<void> {
  if (hasEnded(child)) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
