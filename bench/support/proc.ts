import { readdirSync, readFileSync } from 'node:fs';

// What the kernel knows of processes and cores: CPU time and memory of a candidate with all its processes and threads, and how much of a core
// went to others meanwhile, which is the best measure of noise on a shared machine.

const TICK_MS = 10;
/** Fields of proc(5)'s stat, counted after the command's name in parentheses, which may itself hold spaces. */
const PARENT = 1;
const USER = 11;
const SYSTEM = 12;

function statOf(id: string | number): string[] | null {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(') ') + 2).split(' ');
  } catch {
    return null;
  }
}

/** The process and its descendants. */
export function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? Number(statOf(pid)?.[PARENT]) : Number.NaN;
    if (!Number.isNaN(parent)) parents.set(pid, parent);
  }
  const tree = [root];
  for (const member of tree) for (const [pid, parent] of parents) if (parent === member) tree.push(pid);
  return tree;
}

/** CPU time used so far by all threads of these processes, those that ended included, in ms (resolution 10 ms). */
export function cpuMsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = statOf(pid);
    if (stat) ticks += Number(stat[USER]) + Number(stat[SYSTEM]);
  }
  return ticks * TICK_MS;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function nameOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/comm`, 'latin1').trim();
  } catch {
    return 'ended';
  }
}

/** The same by the threads' names, of those that still run: `main` is the first of each process. */
export function cpuMsByThread(pids: readonly number[]): Map<string, number> {
  const byName = new Map<string, number>();
  for (const pid of pids) {
    for (const id of threadsOf(pid)) {
      const stat = statOf(`${pid}/task/${id}`);
      if (!stat) continue;
      const name = Number(id) === pid ? 'main' : nameOf(`${pid}/task/${id}`);
      byName.set(name, (byName.get(name) ?? 0) + (Number(stat[USER]) + Number(stat[SYSTEM])) * TICK_MS);
    }
  }
  return byName;
}

export interface Memory {
  /** All resident memory in MB; pages that several processes share are counted in each. */
  readonly rssMb: number;
  /** The anonymous part in MB: heaps and stacks, without mapped files. */
  readonly anonMb: number;
}

export function memoryOf(pids: readonly number[]): Memory {
  let rssMb = 0;
  let anonMb = 0;
  for (const pid of pids) {
    let status = '';
    try {
      status = readFileSync(`/proc/${pid}/status`, 'latin1');
    } catch {
      continue;
    }
    rssMb += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    anonMb += Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }
  return { rssMb, anonMb };
}

/** Busy and stolen time of one core so far, ms. */
export function coreTimes(core: number): { readonly busyMs: number; readonly stolenMs: number } {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = line.split(' ').map(Number);
  return { busyMs: (user + nice + system + irq + softirq) * TICK_MS, stolenMs: stolen * TICK_MS };
}
