import type { Gpu } from '../../fleet/agent-words.ts';
import { fieldsOf, type GpuTool, objectOf } from './gpu-tool.ts';

/**
 * macOS tells what GPUs there are to anybody, and how busy they are (`powermetrics`) only to the superuser, which an agent should
 * not be. On Apple's own chips the GPU shares the machine's memory, so it has none of its own to tell.
 */
export const apple: GpuTool = {
  command: 'system_profiler',
  args: ['SPDisplaysDataType', '-json'],
  read: (text) => {
    const list = objectOf(text)['SPDisplaysDataType'];
    if (!Array.isArray(list)) return [];
    return list.map(fieldsOf).flatMap((card): Gpu[] => {
      const name = card['sppci_model'] ?? card['_name'];
      if (typeof name !== 'string') return [];
      return [
        {
          name,
          use: null,
          memoryBytes: vramOf(card['spdisplays_vram'] ?? card['spdisplays_vram_shared']),
          memoryUsedBytes: null,
          temperatureCelsius: null,
          powerWatts: null,
        },
      ];
    });
  },
};

function vramOf(written: unknown): number | null {
  const [, amount, unit] = typeof written === 'string' ? (/^(\d+) (MB|GB)$/.exec(written) ?? []) : [];
  return amount === undefined ? null : Number(amount) * (unit === 'GB' ? 1024 ** 3 : 1024 ** 2);
}
