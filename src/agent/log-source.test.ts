import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/support/settings.ts';
import { until } from '../../test/support/until.ts';
import { systemClock } from '../lib/clock.ts';
import { commandLog, fileLog } from './log-source.ts';

test('a file is followed by whole lines, through growth, rotation and absence', async () => {
  const path = join(temporaryDirectory(), 'engine.log');
  writeFileSync(path, 'one\ntw');
  const log = fileLog(path);
  assert.deepEqual(await log.take(), ['one']);
  assert.deepEqual(await log.take(), []);
  appendFileSync(path, 'o\nthree\n');
  assert.deepEqual(await log.take(), ['two', 'three']);
  writeFileSync(path, 'new\n');
  assert.deepEqual(await log.take(), ['new']);
  rmSync(path);
  const [trouble, ...others] = await log.take();
  assert.match(trouble ?? '', /engine\.log cannot be read: ENOENT/);
  assert.deepEqual([others, await log.take()], [[], []], 'and is told once');
});

test('of what grows faster than it is asked for the end is kept, from a whole line on', async () => {
  const path = join(temporaryDirectory(), 'engine.log');
  writeFileSync(path, 'begin\n');
  const log = fileLog(path);
  await log.take();
  appendFileSync(path, Array.from({ length: 100_000 }, (_, at) => `line ${at}\n`).join(''));
  const lines = await log.take();
  assert.equal(lines.length, 1000);
  assert.deepEqual([lines[0], lines.at(-1)], ['line 99000', 'line 99999']);
});

test('of a command what it prints is told, and that it ended', async (t) => {
  const log = commandLog('echo out; echo err >&2', systemClock);
  t.after(() => log.stop());
  const lines: string[] = [];
  await until(
    async () => {
      lines.push(...(await log.take()));
      return lines.length === 3;
    },
    { what: () => `three lines; there are ${lines.join()}` },
  );
  assert.deepEqual(lines.slice(0, 2).toSorted(), ['err', 'out']);
  assert.match(lines[2] ?? '', /log command ended with 0/);
});
