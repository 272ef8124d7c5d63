import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { heapFlags } from '../../src/cli/heap-flags.ts';
import { startWeir } from '../support/start-weir.ts';

const isLinux = process.platform === 'linux';

test(
  'a router runs in the process that was started, with the flags of its heap',
  {
    skip: isLinux ? false : 'reads /proc',
  },
  async () => {
    const weir = await startWeir();
    const words = readFileSync(`/proc/${weir.process.pid}/cmdline`, 'utf8').split('\0');
    assert.deepEqual(words.slice(1, 1 + heapFlags.length), heapFlags);
    assert.equal(await weir.stop(), 0);
  },
);

test('a heap that was chosen for it stays', { skip: isLinux ? false : 'reads /proc' }, async () => {
  const weir = await startWeir({}, { env: { NODE_OPTIONS: '--max-semi-space-size=8' } });
  const words = readFileSync(`/proc/${weir.process.pid}/cmdline`, 'utf8');
  for (const flag of heapFlags) assert.ok(!words.includes(flag), words);
  assert.equal(await weir.stop(), 0);
});
