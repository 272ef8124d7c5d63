import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutAt, watchAll } from '../../../test/support/streams.ts';
import { watchLongBody } from './long-body.ts';
import { readWhole } from './whole.ts';

function eachByte(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.from([byte]));
}

const key = fc.constantFrom('model', 'mod\\u0065l', 'system_fingerprint', 'usage', 'data', 'a', 'x\\"y', 'x\\\\');
const value = fc.oneof(
  fc.json(),
  fc.constantFrom('"old"', '1e400', '{"prompt_tokens":4}', '[1.5,[{"model":"}"}]]', '"\\\\"', '"\\"},"', 'null', '-0'),
);
const space = fc.constantFrom('', ' ', '\n ');
const object = fc
  .array(fc.tuple(key, value, space, space, space, space), { maxLength: 6 })
  .map((fields) => `{${fields.map(([name, text, a, b, c, d]) => `${a}"${name}"${b}:${c}${text}${d}`).join(',')}}`);

test('a large body is changed exactly as a whole one would be, however it is cut', () => {
  fc.assert(
    fc.property(space, object, space, fc.array(fc.nat()), (before, text, after, numbers) => {
      const bytes = Buffer.from(before + text + after);
      const whole = readWhole(bytes, 'asked');
      const cuts = numbers.map((number) => number % (bytes.length + 1));
      for (const chunks of [[bytes], cutAt(bytes, cuts).filter((chunk) => chunk.length > 0), eachByte(bytes)]) {
        const seen = watchAll(watchLongBody('asked'), chunks);
        assert.equal(seen.text, whole.body.toString());
        assert.deepEqual(seen.usage, whole.usage);
        assert.equal(seen.ended, true);
        assert.equal(seen.failed, null);
      }
    }),
    { numRuns: 400 },
  );
});

test('a value is forwarded as it comes, and a chunk within one is the same Buffer', () => {
  const watch = watchLongBody('asked');
  assert.equal(watch.push(Buffer.from('{"model":"/m/x","data":[1,'))?.toString(), '{"model":"asked","data":[1,');
  const middle = Buffer.from('{"model":"keep"},"}",2');
  assert.equal(watch.push(middle), middle);
  assert.equal(watch.push(Buffer.from('], "usage":{"prompt_tok'))?.toString(), ']');
  assert.equal(watch.push(Buffer.from('ens":7}}'))?.toString(), ', "usage":{"prompt_tokens":7}}');
  assert.equal(watch.ended, true);
  assert.equal(watch.usage()?.promptTokens, 7);
});

test('of what is no object, or follows one, nothing crosses', () => {
  for (const [text, crosses] of [
    ['RIFF{"a":"x"}', ''],
    ['[{"a":"x"}]', ''],
    ['{"a":1,x"b":"x"}', '{"a":1'],
    ['{"a":1}   gpu-1 at http://10.0.0.5', '{"a":1}'],
    ['{"a":1}\n{"model":"/models/x.gguf"}', '{"a":1}'],
  ] as const) {
    for (const chunks of [[Buffer.from(text)], eachByte(Buffer.from(text))]) {
      const watch = watchLongBody('asked');
      const seen = watchAll(watch, chunks);
      assert.equal(seen.text.trimEnd(), crosses);
      assert.equal(typeof watch.failed, 'string', text);
    }
  }
});

test('a torn body has not ended', () => {
  const text = '{"data":[1,2],"model":"x"}';
  for (let length = 0; length < text.length; length += 1) {
    assert.equal(watchAll(watchLongBody('asked'), [Buffer.from(text.slice(0, length))]).ended, false);
  }
});

test('an error at the top is told and not forwarded', () => {
  const seen = watchAll(watchLongBody('asked'), [Buffer.from('{"data":[],"error":{"message":"out of memory"},"z":1}')]);
  assert.equal(seen.failed, 'out of memory');
  assert.equal(seen.text, '{"data":[]');
});

test('a key without end is not held for ever', () => {
  const chunks = Array.from({ length: 40 }, () => Buffer.alloc(4096, 'x'));
  assert.equal(watchAll(watchLongBody('asked'), [Buffer.from('{"'), ...chunks]).tooLong, true);
  const model = [Buffer.from('{"model":"'), ...chunks];
  assert.equal(watchAll(watchLongBody('asked'), model).tooLong, true);
});
