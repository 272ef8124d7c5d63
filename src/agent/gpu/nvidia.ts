import type { Gpu } from '../../fleet/agent-words.ts';
import type { GpuTool } from './gpu-tool.ts';
import { amountOf } from './amounts.ts';

const MIB = 1024 ** 2;
const fields = ['name', 'utilization.gpu', 'memory.total', 'memory.used', 'temperature.gpu', 'power.draw'];

/** NVIDIA's own tool, in its CSV form; what a card does not tell reads `[N/A]` there. */
export const nvidia: GpuTool = {
  command: 'nvidia-smi',
  args: [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'],
  read: (text) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.split(',').length === fields.length)
      .map((line): Gpu => {
        const [name = '', use, total, used, temperature, power] = line.split(',').map((each) => each.trim());
        return {
          name,
          use: amountOf(use, 0.01),
          memoryBytes: amountOf(total, MIB),
          memoryUsedBytes: amountOf(used, MIB),
          temperatureCelsius: amountOf(temperature),
          powerWatts: amountOf(power),
        };
      }),
};
