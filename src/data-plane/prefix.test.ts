import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixOf } from './prefix.ts';

const turn = (text: string): { role: string; content: string } => ({ role: 'user', content: text });
const long = (letter: string): string => `${letter} `.repeat(2000);

function hashesOf(messages: readonly unknown[], before: object = {}, after: object = {}): readonly number[] {
  return prefixOf(Buffer.from(JSON.stringify({ ...before, messages, ...after }))).hashes;
}

test('a chat that goes on begins with the blocks of its earlier turn', () => {
  const first = hashesOf([turn(long('a'))]);
  const second = hashesOf([turn(long('a')), turn(long('b'))]);
  assert.ok(first.length >= 3);
  assert.deepEqual(second.slice(0, first.length - 1), first.slice(0, -1));
  assert.ok(second.length > first.length);
});

test('what stands before and after the messages does not count', () => {
  const messages = [turn(long('a'))];
  const plain = hashesOf(messages);
  assert.deepEqual(hashesOf(messages, { model: 'm', temperature: 0.3 }), plain);
  assert.deepEqual(hashesOf(messages, {}, { stream: true }).slice(0, plain.length), plain);
});

test('all blocks after the first difference differ', () => {
  const one = hashesOf([turn(`x${long('a')}`)]);
  const other = hashesOf([turn(`y${long('a')}`)]);
  assert.equal(one.length, other.length);
  for (const [at, hash] of one.entries()) assert.notEqual(hash, other[at]);
});

test('short bodies and bodies without a prompt have no blocks, very long ones not more than 128', () => {
  assert.equal(hashesOf([turn('hello')]).length, 0);
  assert.equal(prefixOf(Buffer.alloc(5000, 'a')).hashes.length, 0);
  assert.equal(hashesOf([turn('a'.repeat(1_000_000))]).length, 128);
});
