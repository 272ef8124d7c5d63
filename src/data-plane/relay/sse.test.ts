import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutAt, watchAll } from '../../../test/support/streams.ts';
import { watchSse } from './sse.ts';

const watchText = (text: string, asked = 'm') => watchAll(watchSse(asked), [Buffer.from(text)]);

test('line ends may be LF, CRLF or CR, mixed, and cut anywhere', () => {
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
  const line = fc.constantFrom(
    'data: {"choices":[{"delta":{"content":"x"}}],"model":"old"}',
    'data:{"choices":[{"delta":{"content":""}}],"system_fingerprint":"f"}',
    'data: plain words',
    'data',
    ': comment',
    'id: 7',
    'event: error',
    'data: {"error":{"message":"bad"}}',
    'data: [DONE]',
    '',
    '',
    '',
  );
  const stream = fc.array(fc.tuple(line, lineEnd), { maxLength: 14 });
  fc.assert(
    fc.property(stream, fc.array(fc.nat()), (lines, numbers) => {
      const bytes = Buffer.from(lines.map((pair) => pair.join('')).join(''));
      const whole = watchAll(watchSse('m'), [bytes]);
      const cuts = numbers.map((number) => number % (bytes.length + 1));
      assert.deepEqual(watchAll(watchSse('m'), cutAt(bytes, cuts)), whole);
      const single = Array.from(bytes, (byte) => Buffer.from([byte]));
      assert.deepEqual(watchAll(watchSse('m'), single), whole);
    }),
    { numRuns: 300 },
  );
});

test('every line end is understood', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const seen = watchText(`data: {"model":"old"}${end}${end}data: [DONE]${end}${end}`);
    assert.equal(seen.text, `data: {"model":"m"}${end}${end}data: [DONE]${end}${end}`);
    assert.equal(seen.ended, true);
  }
});

test('a frame is forwarded with the chunk that completes it, not before', () => {
  const watch = watchSse('m');
  assert.equal(watch.push(Buffer.from('data: {"a"')), null);
  assert.equal(watch.push(Buffer.from(':1}\n')), null);
  assert.equal(watch.push(Buffer.from('\ndata: {'))?.toString(), 'data: {"a":1}\n\n');
  assert.equal(watch.push(Buffer.from('}\n\n'))?.toString(), 'data: {}\n\n');
});

test('comments pass without their words, pings whole, and neither is progress', () => {
  const watch = watchSse('m');
  assert.equal(watch.push(Buffer.from(': node gpu-1 at 10.0.0.5:8000\n\n'))?.toString(), ':\n\n');
  const empty = Buffer.from(':\n\n');
  assert.equal(watch.push(empty), empty);
  const ping = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n');
  assert.equal(watch.push(ping), ping);
  assert.equal(watch.frames, 0);
  assert.equal(watch.sawContent, false);
  watch.push(Buffer.from('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'));
  assert.equal(watch.frames, 1);
  assert.equal(watch.sawContent, false);
});

test('an error is not forwarded, nor anything after it, in each form engines use', () => {
  const before = 'data: {"choices":[]}\n\n';
  const errors: [string, string][] = [
    ['data: {"error":{"message":"no","code":500}}', 'no'],
    ['data: {"error":"no"}', 'no'],
    ['data: {"detail":"no"}', 'no'],
    ['data: {"choices":[{"index":0,"error":{"message":"at 10.0.0.5"},"finish_reason":"error"}]}', ''],
    ['data: {"error":{}}', ''],
    ['data: {"object":"error","message":"no","type":"BadRequestError"}', 'no'],
    ['data: {"type":"error","code":"x","message":"no","param":null}', 'no'],
    ['event: error\ndata: {"message":"no"}', 'no'],
    ['event:error\ndata: no words', 'no words'],
    ['event: error\ndata: {"detail":"no"}\nid: 3', 'no'],
    ['data: {"err\\u006fr":{"message":"no"}}', 'no'],
    ['data: {\ndata: "error":{"message":"no"}}', 'no'],
  ];
  for (const [frame, message] of errors) {
    const seen = watchText(`${before}${frame}\n\ndata: {"late":1}\n\ndata: [DONE]\n\n`);
    assert.equal(seen.text, before, frame);
    assert.equal(seen.failed, message, frame);
    assert.equal(seen.ended, false);
  }
});

test('what only looks like an error passes', () => {
  for (const frame of [
    'data: {"error":null,"a":1}',
    'data: {"error":false}',
    'data: {"choices":[{"delta":{"content":"{\\"error\\":1}"}}]}',
    'data: {"nested":{"error":{"message":"x"}}}',
    'event: error',
    'event: errors\ndata: {}',
  ]) {
    const seen = watchText(`${frame}\n\n`);
    assert.equal(seen.text, `${frame}\n\n`);
    assert.equal(seen.failed, null, frame);
  }
});

test('nothing with data follows the end marker', () => {
  const seen = watchText('data: [DONE]\n\ndata: {"error":"late"}\n\n: bye\n\n');
  assert.equal(seen.text, 'data: [DONE]\n\n:\n\n');
  assert.equal(seen.failed, null);
  assert.equal(seen.ended, true);
});

function finish(index: number): string {
  return `data: {"choices":[{"index":${index},"delta":{},"finish_reason":"stop"}]}\n\n`;
}

test('a stream is not over while one of its choices runs', () => {
  const begin = 'data: {"choices":[{"index":0,"delta":{}},{"index":1,"delta":{}}]}\n\n';
  assert.equal(watchText(begin).ended, false);
  assert.equal(watchText(begin + finish(0)).ended, false);
  assert.equal(watchText(begin + finish(0) + finish(1)).ended, true);
  assert.equal(watchText('data: {"choices":[{"index":0,"finish_reason":null}]}\n\n').ended, false);
});

test('data over several lines is read as one text and rewritten as lines', () => {
  const seen = watchText(
    'event: x\ndata: {"a": 1,\ndata:  "model": "old",\ndata: "system_fingerprint": "f"}\nid: 4\n\n',
  );
  assert.equal(seen.text, 'event: x\ndata: {"a": 1,\ndata:  "model": "m"}\n\n');
  const same = 'data: {"a": 1,\ndata:  "model": "m"}\n\n';
  assert.equal(watchText(same).text, same);
});

test('a last event without its blank line is completed, unless it is torn', () => {
  assert.equal(watchText('data: {"model":"old"}').text, 'data: {"model":"m"}\n\n');
  assert.equal(watchText('data: {"a":1}\n').text, 'data: {"a":1}\n\n');
  assert.equal(watchText('data: {"a":1}\r').text, 'data: {"a":1}\r\n\n');
  assert.equal(watchText('data: {"a":1}\r\n').text, 'data: {"a":1}\r\n\n');
  assert.deepEqual(watchText('data: [DONE]').ended, true);
  assert.equal(watchText('data: {"a":1').text, '');
  assert.equal(watchText('data: [DON').text, '');
  assert.equal(watchText('data: [DON').ended, false);
  assert.equal(watchText(`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`).ended, false);
  assert.equal(watchText(': ping').text, '');
  assert.equal(watchText('data: {"error":"x"}').failed, 'x');
});

test('a byte order mark does not hide the first event', () => {
  assert.equal(watchText('\u{feff}data: {"model":"old"}\n\n').text, '\u{feff}data: {"model":"m"}\n\n');
});

test('a frame beyond the limit ends the stream, however it is cut; one at the limit passes', () => {
  const small = 'data: {}\n\n';
  const long = `data: {"a":"${'x'.repeat(50)}"}\n\n`;
  for (const size of [1, 7, 1000]) {
    const bytes = Buffer.from(small + long + small);
    const cuts = Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => (index + 1) * size);
    const strict = watchAll(watchSse('m', long.length - 1), cutAt(bytes, cuts));
    assert.equal(strict.tooLong, true);
    assert.equal(strict.text, small);
    const fitting = watchAll(watchSse('m', long.length), cutAt(bytes, cuts));
    assert.equal(fitting.tooLong, false);
    assert.equal(fitting.text, small + long + small);
  }
});

test('an object that cannot be read ends the stream: it may be an error in a form that nobody knows', () => {
  for (const frame of [
    "data: {'error': 'gpu-1 at http://10.0.0.5'}\n\n",
    'data: {"error":"gpu-1",}\n\n',
    'data: {"error":"gpu-1\n\n',
    'data: {gpu-1}\n\n',
    'data: {"model":"old"\n\n',
    'data: {"x":nowhere}\n\n',
    'data: {"a":\ndata: gpu-1}\n\n',
  ]) {
    const watch = watchSse('m');
    assert.equal(
      watch.push(Buffer.from(`data: {"a":1}\n\n${frame}data: {"a":2}\n\n`))?.toString(),
      'data: {"a":1}\n\n',
      frame,
    );
    assert.equal(typeof watch.failed, 'string');
  }
});

test('numbers that JSON has no word for are read as Python writes them', () => {
  const frame = 'data: {"model":"m","logprobs":[NaN,-Infinity,Infinity],"x":NaN,"y":-Infinity,"z":-1.5e+3}\n\n';
  assert.equal(watchText(frame).text, frame);
  assert.equal(
    watchText('data: {"logprob":NaN,"model":"/models/old.gguf"}\n\n').text,
    'data: {"logprob":NaN,"model":"m"}\n\n',
  );
});

test('a model that is no string is replaced too', () => {
  assert.equal(watchText('data: {"model":{"path":"/models/x.gguf"}}\n\n').text, 'data: {"model":"m"}\n\n');
  assert.equal(watchText('data: {"model":["/models/x.gguf"],"a":1}\n\n').text, 'data: {"model":"m","a":1}\n\n');
});

test('data that is no object, ids, unknown lines and odd event names do not cross', () => {
  const traceback = 'Traceback (most recent call last):\n  File "/srv/gpu-1/server.py", line 1\n\n';
  for (const frame of ['data: on gpu-1\n\n', 'data: ["10.0.0.5"]\n\n', 'data\n\n', 'retry: 9\n\n', traceback]) {
    assert.equal(watchText(frame).text, ':\n\n', frame);
  }
  const mixed = ': gpu-1\nid: gpu-1/7\nevent: chunk\ndata: {"a":1}\nx-node: gpu-1\n\n';
  assert.equal(watchText(mixed).text, 'event: chunk\ndata: {"a":1}\n\n');
  assert.equal(watchText('event: from gpu-1\ndata: {"a":1}\n\n').text, 'data: {"a":1}\n\n');
});

test('escaped and repeated keys are rewritten too', () => {
  const seen = watchText('data: {"mod\\u0065l":"a","model":"b","system\\u005ffingerprint":1,"model":null}\n\n');
  assert.equal(seen.text, 'data: {"mod\\u0065l":"m","model":"m","model":null}\n\n');
});
