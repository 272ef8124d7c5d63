import { execFile } from 'node:child_process';
import type { Gpu } from '../../fleet/agent-words.ts';
import { amd } from './amd.ts';
import { apple } from './apple.ts';
import type { GpuTool } from './gpu-tool.ts';
import { nvidia } from './nvidia.ts';

// The machine's GPUs by the tools of their makers. A tool that is not there is not looked for again: a driver that is installed
// later comes with a restart of the agent. One that fails or hangs costs a heartbeat nothing but its numbers.

const WITHIN_MS = 4000;
const MOST_BYTES = 1024 * 1024;

/** What a tool printed; `absent` where there is no such program. */
type Ran = { readonly kind: 'printed'; readonly text: string } | { readonly kind: 'failed' | 'absent' };

/** `run` as a test gives it. */
export function gpuReader(
  platform: NodeJS.Platform,
  run: (tool: GpuTool) => Promise<Ran> = runTool,
): () => Promise<readonly Gpu[]> {
  let tools: readonly GpuTool[] = platform === 'darwin' ? [apple] : [nvidia, amd];
  return async () => {
    const read = await Promise.all(tools.map(async (tool) => ({ tool, ran: await run(tool) })));
    tools = read.filter(({ ran }) => ran.kind !== 'absent').map(({ tool }) => tool);
    return read.flatMap(({ tool, ran }) => (ran.kind === 'printed' ? tool.read(ran.text) : []));
  };
}

function runTool({ command, args }: GpuTool): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: WITHIN_MS, maxBuffer: MOST_BYTES, windowsHide: true }, (error, text) => {
      if (!error) resolve({ kind: 'printed', text });
      else resolve({ kind: error.code === 'ENOENT' ? 'absent' : 'failed' });
    });
  });
}
