import type { Gpu } from '../../fleet/agent-words.ts';
import { amountOf } from './amounts.ts';
import { fieldsOf, type GpuTool, objectOf } from './gpu-tool.ts';

/**
 * AMD's tool. The names of its fields differ between releases and cards (average or current power, edge or junction
 * temperature), so each is looked for under all that are known.
 */
export const amd: GpuTool = {
  command: 'rocm-smi',
  args: ['--showproductname', '--showuse', '--showmeminfo', 'vram', '--showtemp', '--showpower', '--json'],
  read: (text) =>
    Object.entries(objectOf(text)).flatMap(([id, value]): Gpu[] => {
      if (!/^card\d+$/.test(id)) return [];
      const card = fieldsOf(value);
      const first = (...names: readonly string[]): unknown => names.map((name) => card[name]).find(Boolean);
      const name = first('Card Series', 'Card series', 'Card Model', 'Card model', 'Device Name');
      return [
        {
          name: typeof name === 'string' ? name : id,
          use: amountOf(card['GPU use (%)'], 0.01),
          memoryBytes: amountOf(card['VRAM Total Memory (B)']),
          memoryUsedBytes: amountOf(card['VRAM Total Used Memory (B)']),
          temperatureCelsius: amountOf(
            first(
              'Temperature (Sensor edge) (C)',
              'Temperature (Sensor junction) (C)',
              'Temperature (Sensor memory) (C)',
            ),
          ),
          powerWatts: amountOf(
            first(
              'Average Graphics Package Power (W)',
              'Current Socket Graphics Package Power (W)',
              'Current Graphics Package Power (W)',
            ),
          ),
        },
      ];
    }),
};
