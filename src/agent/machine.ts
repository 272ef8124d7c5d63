import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import type { Gpu, Machine } from '../fleet/agent-words.ts';

/** How this machine is: CPU use since the call before. */
export class MachineReader {
  readonly #gpus: () => Promise<readonly Gpu[]>;
  #before: CpuTimes = { busy: 0, all: 0 };

  constructor(gpus: () => Promise<readonly Gpu[]>) {
    this.#gpus = gpus;
    this.#before = cpuTimes();
  }

  async read(): Promise<Machine> {
    const gpus = await this.#gpus();
    const now = cpuTimes();
    const elapsed = now.all - this.#before.all;
    const cpuUse = elapsed > 0 ? Math.min(1, Math.max(0, (now.busy - this.#before.busy) / elapsed)) : null;
    this.#before = now;
    const memoryBytes = totalmem();
    return {
      hostname: hostname(),
      system: `${platform()} ${release()} ${arch()}`,
      cpus: cpus().length,
      cpuUse,
      memoryBytes,
      memoryUsedBytes: Math.max(0, memoryBytes - process.availableMemory()),
      gpus,
    };
  }
}

interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

function cpuTimes(): CpuTimes {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const active = times.user + times.nice + times.sys + times.irq;
    busy += active;
    all += active + times.idle;
  }
  return { busy, all };
}
