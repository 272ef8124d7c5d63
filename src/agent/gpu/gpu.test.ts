import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amd } from './amd.ts';
import { apple } from './apple.ts';
import { nvidia } from './nvidia.ts';

// In the forms that the tools print, by their documentation.

test('nvidia-smi: one line a card, and what a card does not tell is not known', () => {
  const text =
    'NVIDIA GeForce RTX 4090, 87, 24564, 20000, 61, 312.45\nTesla K80, [N/A], 11441, 0, 33, [Not Supported]\n\n';
  assert.deepEqual(nvidia.read(text), [
    {
      name: 'NVIDIA GeForce RTX 4090',
      use: 0.87,
      memoryBytes: 24564 * 1024 ** 2,
      memoryUsedBytes: 20000 * 1024 ** 2,
      temperatureCelsius: 61,
      powerWatts: 312.45,
    },
    {
      name: 'Tesla K80',
      use: null,
      memoryBytes: 11441 * 1024 ** 2,
      memoryUsedBytes: 0,
      temperatureCelsius: 33,
      powerWatts: null,
    },
  ]);
  const broken = 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.\n';
  assert.deepEqual(nvidia.read(broken), []);
});

test('rocm-smi: cards by number, under the names of any release', () => {
  const text = JSON.stringify({
    card0: {
      'Temperature (Sensor edge) (C)': '45.0',
      'Average Graphics Package Power (W)': '90.0',
      'GPU use (%)': '12',
      'VRAM Total Memory (B)': '68702699520',
      'VRAM Total Used Memory (B)': '11182080',
      'Card series': 'AMD Instinct MI210',
    },
    card1: { 'Temperature (Sensor junction) (C)': '50.0', 'GPU use (%)': 'N/A' },
    system: { 'Driver version': '6.2.4' },
  });
  const [first, second, ...others] = amd.read(text);
  assert.deepEqual(first, {
    name: 'AMD Instinct MI210',
    use: 0.12,
    memoryBytes: 68702699520,
    memoryUsedBytes: 11182080,
    temperatureCelsius: 45,
    powerWatts: 90,
  });
  assert.deepEqual([second?.name, second?.use, second?.temperatureCelsius, others], ['card1', null, 50, []]);
  assert.deepEqual(amd.read('WARNING: no AMD GPUs'), []);
});

test('system_profiler: Apple chips share memory, other cards have their own', () => {
  const text = JSON.stringify({
    SPDisplaysDataType: [
      { _name: 'kHW_AppleM2MaxItem', sppci_model: 'Apple M2 Max', sppci_cores: '38' },
      { _name: 'AMD Radeon Pro 5500M', spdisplays_vram: '8 GB' },
    ],
  });
  assert.deepEqual(
    apple.read(text).map(({ name, memoryBytes, use }) => [name, memoryBytes, use]),
    [
      ['Apple M2 Max', null, null],
      ['AMD Radeon Pro 5500M', 8 * 1024 ** 3, null],
    ],
  );
  assert.deepEqual(apple.read('{}'), []);
  assert.deepEqual(apple.read('[]'), []);
});
