import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutAt, watchAll } from '../../../test/support/streams.ts';
import { watchNdjson } from './ndjson.ts';

function watchText(text: string) {
  return watchAll(watchNdjson('m'), [Buffer.from(text)]);
}

test('any lines, cut anywhere, read the same', () => {
  const line = fc.constantFrom(
    '{"model":"old","response":"x","done":false}',
    ' {"message":{"content":"","tool_calls":[{"function":{}}]}}\r',
    '{"model":"m","done":true,"eval_count":3}',
    '{"error":"no"}',
    'nonsense',
    '',
    '\r',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.boolean(), fc.array(fc.nat()), (lines, isTerminated, numbers) => {
      const bytes = Buffer.from(lines.join('\n') + (isTerminated ? '\n' : ''));
      const whole = watchAll(watchNdjson('m'), [bytes]);
      const cuts = numbers.map((number) => number % (bytes.length + 1));
      assert.deepEqual(watchAll(watchNdjson('m'), cutAt(bytes, cuts)), whole);
      const single = Array.from(bytes, (byte) => Buffer.from([byte]));
      assert.deepEqual(watchAll(watchNdjson('m'), single), whole);
    }),
    { numRuns: 300 },
  );
});

test('a line is forwarded with the chunk that completes it', () => {
  const watch = watchNdjson('m');
  assert.equal(watch.push(Buffer.from('{"model":"o')), null);
  assert.equal(watch.push(Buffer.from('ld"}\n{"a"'))?.toString(), '{"model":"m"}\n');
  assert.equal(watch.push(Buffer.from(':1}\n'))?.toString(), '{"a":1}\n');
});

test('where an engine has a model run elsewhere does not cross', () => {
  const line =
    '{"model":"m","remote_model":"n:1","remote_host":"http://10.1.2.3:11434","message":{"content":"x"},"done":false}';
  assert.equal(watchText(`${line}\n`).text, '{"model":"m","message":{"content":"x"},"done":false}\n');
});

test('only done: true ends a stream', () => {
  assert.equal(watchText('{"done":false}\n').ended, false);
  assert.equal(watchText('{"message":{"done":true}}\n').ended, false);
  assert.equal(watchText('{"response":"\\"done\\":true"}\n').ended, false);
  assert.equal(watchText('{"done":true}\n').ended, true);
  assert.equal(watchText('{"done":true}\n{"late":1}\n\n').text, '{"done":true}\n\n');
});

test('an error line is held back with all that follows', () => {
  const seen = watchText('{"a":1}\n{"error":"model runner has stopped"}\n{"done":true}\n');
  assert.equal(seen.text, '{"a":1}\n');
  assert.equal(seen.failed, 'model runner has stopped');
  assert.equal(seen.ended, false);
});

test('a last line without its line feed is completed, unless it is torn', () => {
  assert.equal(watchText('{"model":"old","done":true}').text, '{"model":"m","done":true}\n');
  assert.equal(watchText('{"done":true}').ended, true);
  assert.equal(watchText('{"done":tru').text, '');
  assert.equal(watchText('{"done":tru').ended, false);
  assert.equal(watchText('{"error":"x"}').failed, 'x');
});

test('thinking, text and tool calls count as content; empty messages do not', () => {
  assert.equal(
    watchText('{"message":{"role":"assistant","content":""},"response":"","thinking":""}\n').sawContent,
    false,
  );
  for (const line of [
    '{"response":"x"}',
    '{"thinking":"x"}',
    '{"message":{"content":"x"}}',
    '{"message":{"thinking":"x"}}',
    '{"message":{"content":"","tool_calls":[{}]}}',
  ]) {
    const seen = watchText(`${line}\n`);
    assert.equal(seen.sawContent, true, line);
    assert.deepEqual(seen.usage, { promptTokens: null, completionTokens: 1, cachedTokens: null, estimated: true });
  }
});

test('a line beyond the limit ends the stream', () => {
  const line = Buffer.from('{"a":"xxxxxxxxxxxxxxxx"}\n');
  const seen = watchAll(watchNdjson('m', line.length - 1), [
    Buffer.from('{}\n'),
    line.subarray(0, 5),
    line.subarray(5),
  ]);
  assert.equal(seen.tooLong, true);
  assert.equal(seen.text, '{}\n');
});

test('a line that is no object does not cross; an object that cannot be read ends the stream', () => {
  const watch = watchNdjson('m');
  assert.equal(watch.push(Buffer.from('panic: on gpu-1 at 10.0.0.5:8000\n')), null);
  assert.equal(watch.failed, null);
  assert.equal(watch.push(Buffer.from('{"response":"a"\n')), null);
  assert.equal(typeof watch.failed, 'string');
});
