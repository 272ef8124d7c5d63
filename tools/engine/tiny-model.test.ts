import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeVocabulary } from './bigrams.ts';
import { makeTinyModel } from './tiny-model.ts';

async function temporaryDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'weir-model-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

test('a model file starts with the GGUF header and counts 3 tensors and 9 for every layer', async (t) => {
  const path = await makeTinyModel({ layers: 3 }, await temporaryDir(t));
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(16), 0, 16, 0);
  await file.close();
  assert.equal(buffer.toString('latin1', 0, 4), 'GGUF');
  assert.equal(buffer.readUInt32LE(4), 3);
  assert.equal(buffer.readBigUInt64LE(8), BigInt(3 + 3 * 9));
});

test('a layer adds its matrices to the file and, being zeros, hardly anything to the disk', async (t) => {
  const dir = await temporaryDir(t);
  const small = await stat(await makeTinyModel({ layers: 1 }, dir));
  const large = await stat(await makeTinyModel({ layers: 5 }, dir));
  const matrixBytes = 4 * (4 * 512 * 512 + 3 * 512 * 256 + 2 * 512);
  assert.equal(Math.round((large.size - small.size) / (4 * matrixBytes)), 1);
  assert.ok((large.blocks - small.blocks) * 512 < 1_000_000, 'the zeros were written out');
});

test('a model is made once, and other options make another', async (t) => {
  const dir = await temporaryDir(t);
  const path = await makeTinyModel({ layers: 1 }, dir);
  const { mtimeMs } = await stat(path);
  assert.equal(await makeTinyModel({ layers: 1 }, dir), path);
  assert.equal((await stat(path)).mtimeMs, mtimeMs);
  assert.notEqual(await makeTinyModel({ layers: 1, ctx: 512 }, dir), path);
  assert.notEqual(await makeTinyModel({ layers: 1, width: 1024 }, dir), path);
  assert.equal((await readdir(dir)).length, 3);
});

test('layers that are no whole number from 1 are refused', async () => {
  await assert.rejects(makeTinyModel({ layers: 0 }), /layers must be a whole number from 1/);
  await assert.rejects(makeTinyModel({ layers: 1.5 }), RangeError);
});

test('the likeliest followers form a ring, so that an answer at temperature 0 never ends by itself', () => {
  const { pieces, next, endId } = makeVocabulary();
  const likeliest = (id: number): number => {
    const [first, second] = [...(next[id] ?? [])].toSorted((one, other) => other[1] - one[1]);
    assert.ok(first, `nothing follows ${pieces[id]}`);
    assert.ok(!second || first[1] > second[1], `two tokens are equally likely after ${pieces[id]}`);
    return first[0];
  };
  const start = likeliest(pieces.indexOf('\n'));
  const seen: number[] = [];
  for (let id = start; !seen.includes(id); id = likeliest(id)) seen.push(id);
  assert.equal(likeliest(seen.at(-1) ?? -1), start);
  assert.ok(seen.length >= 20, `the ring has only ${seen.length} words`);
  assert.ok(!seen.includes(endId));
});

test('the shares of what may follow a token add up to 1, and every token has a follower', () => {
  for (const row of makeVocabulary().next) {
    const total = [...row.values()].reduce((sum, share) => sum + share, 0);
    assert.ok(Math.abs(total - 1) < 1e-9);
  }
});
