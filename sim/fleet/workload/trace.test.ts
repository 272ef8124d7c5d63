import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseTrace, readTrace, sliceOf } from './trace.ts';

const mooncake = [
  { timestamp: 0, input_length: 1100, output_length: 500, hash_ids: [0, 1, 2] },
  { timestamp: 0, input_length: 1024, output_length: 0, hash_ids: [0, 1] },
  { timestamp: 3000, input_length: 100, output_length: 9, hash_ids: [7] },
]
  .map((row) => JSON.stringify(row))
  .join('\n');

const azure = 'arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,374,44\n4.5,396,109\n';

test('both trace formats are read; only full blocks count as prefix', () => {
  assert.deepEqual(parseTrace('m', mooncake), [
    { atMs: 0, promptTokens: 1100, outputTokens: 500, blocks: [0, 1] },
    { atMs: 0, promptTokens: 1024, outputTokens: 1, blocks: [0, 1] },
    { atMs: 3000, promptTokens: 100, outputTokens: 9, blocks: [] },
  ]);
  assert.deepEqual(parseTrace('a', azure), [
    { atMs: 0, promptTokens: 374, outputTokens: 44, blocks: [] },
    { atMs: 4500, promptTokens: 396, outputTokens: 109, blocks: [] },
  ]);
});

test('a trace that cannot be read is refused with the line and what is wrong there', () => {
  assert.throws(() => parseTrace('t', 'a,b\n1,2'), /t:1: neither JSON lines/);
  assert.throws(
    () => parseTrace('t', `${azure}5,x,1`),
    /t:4: num_prefill_tokens is to be a number of at least 1, not x/,
  );
  assert.throws(() => parseTrace('t', '{"timestamp":0}'), /t:1: input_length/);
  assert.throws(
    () => parseTrace('t', '{"timestamp":0,"input_length":1,"output_length":1,"hash_ids":"x"}'),
    /t:1: hash_ids/,
  );
  assert.throws(() => parseTrace('t', '{"timestamp":0'), /t:1: not JSON/);
});

test('requests of one rounded instant are spread over the gap to the next, and keep their order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-trace-'));
  try {
    const path = join(folder, 'trace.jsonl');
    writeFileSync(path, mooncake);
    const { offers, blockTokens } = sliceOf(path, await readTrace(path), { requests: 10, callers: 3, seed: 1 });
    assert.equal(blockTokens, 512);
    const [first, second, third] = offers.map(({ atMs }) => atMs);
    assert.ok(first !== undefined && second !== undefined && first <= second && second < 3000, `${first} ${second}`);
    assert.equal(third, 3000);
    assert.ok((second ?? 0) > 0);
    // The two that share their first two blocks are one chat: one caller.
    assert.equal(offers[0]?.caller, offers[1]?.caller);
  } finally {
    rmSync(folder, { recursive: true });
  }
  await assert.rejects(readTrace(join(folder, 'none')), /--trace .*none: cannot be read/);
});
