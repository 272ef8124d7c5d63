import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { systemClock } from '../lib/clock.ts';
import { FileWatch } from './file-watch.ts';

interface Stage {
  readonly directory: string;
  readonly watch: FileWatch;
  changes(): number;
  /** Resolves when so many changes were told. */
  told(count: number): Promise<unknown>;
}

async function watching(context: TestContext, prepare: (directory: string) => string): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-watch-'));
  const file = prepare(directory);
  let changes = 0;
  const watch = new FileWatch(
    systemClock,
    () => [file],
    () => (changes += 1),
  );
  await watch.start();
  context.after(() => {
    watch.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    directory,
    watch,
    changes: () => changes,
    told: (count) => until(() => changes >= count, { what: () => `change ${count} (${changes} told)`, withinMs: 5000 }),
  };
}

test('a file that is written anew is told, once for several steps', async (context) => {
  const stage = await watching(context, (directory) => {
    writeFileSync(join(directory, 'weir.yaml'), 'one');
    return join(directory, 'weir.yaml');
  });
  writeFileSync(join(stage.directory, 'weir.yaml'), 'tw');
  writeFileSync(join(stage.directory, 'weir.yaml'), 'two');
  await stage.told(1);
  assert.equal(stage.changes(), 1);
});

test('a file that is replaced by another one is told, every time', async (context) => {
  const stage = await watching(context, (directory) => {
    writeFileSync(join(directory, 'weir.yaml'), 'one');
    return join(directory, 'weir.yaml');
  });
  for (const [at, text] of ['two', 'three', 'four'].entries()) {
    writeFileSync(join(stage.directory, '.new'), text);
    renameSync(join(stage.directory, '.new'), join(stage.directory, 'weir.yaml'));
    await stage.told(at + 1);
  }
});

test('what Kubernetes does with a ConfigMap is told, every time', async (context) => {
  const stage = await watching(context, (directory) => {
    mkdirSync(join(directory, '..1'));
    writeFileSync(join(directory, '..1', 'weir.yaml'), 'version 1');
    symlinkSync('..1', join(directory, '..data'));
    symlinkSync(join('..data', 'weir.yaml'), join(directory, 'weir.yaml'));
    return join(directory, 'weir.yaml');
  });
  for (const version of [2, 3]) {
    const at = (name: string): string => join(stage.directory, name);
    mkdirSync(at(`..${version}`));
    writeFileSync(join(at(`..${version}`), 'weir.yaml'), `version ${version}`);
    symlinkSync(`..${version}`, at('..data_tmp'));
    renameSync(at('..data_tmp'), at('..data'));
    rmSync(at(`..${version - 1}`), { recursive: true });
    await stage.told(version - 1);
  }
});

test('a file behind a symlink is told where it lies', async (context) => {
  const stage = await watching(context, (directory) => {
    mkdirSync(join(directory, 'real'));
    mkdirSync(join(directory, 'link'));
    writeFileSync(join(directory, 'real', 'weir.yaml'), 'one');
    symlinkSync(join('..', 'real', 'weir.yaml'), join(directory, 'link', 'weir.yaml'));
    return join(directory, 'link', 'weir.yaml');
  });
  writeFileSync(join(stage.directory, 'real', 'weir.yaml'), 'two');
  await stage.told(1);
});

test('other files beside it, and the same content again, are no change', async (context) => {
  const stage = await watching(context, (directory) => {
    writeFileSync(join(directory, 'weir.yaml'), 'one');
    return join(directory, 'weir.yaml');
  });
  writeFileSync(join(stage.directory, 'other.yaml'), 'else');
  writeFileSync(join(stage.directory, 'weir.yaml'), 'one');
  await stage.watch.look();
  assert.equal(stage.changes(), 0);
  writeFileSync(join(stage.directory, 'weir.yaml'), 'two');
  await stage.told(1);
  assert.equal(stage.changes(), 1);
});

test('a file in a directory where something is written all the time is told all the same', async (context) => {
  const stage = await watching(context, (directory) => {
    writeFileSync(join(directory, 'weir.yaml'), 'one');
    return join(directory, 'weir.yaml');
  });
  const busy = setInterval(() => writeFileSync(join(stage.directory, 'log'), String(process.hrtime.bigint())), 20);
  context.after(() => clearInterval(busy));
  for (const [at, text] of ['two', 'three', 'four'].entries()) {
    writeFileSync(join(stage.directory, 'weir.yaml'), text);
    await stage.told(at + 1);
  }
});
