import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormScan } from './form-scan.ts';
import { readForm } from './read-form.ts';

const type = 'multipart/form-data; boundary=xYz';

const field = (name: string, value: string): string =>
  `--xYz\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file =
  '--xYz\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--xY no\r\n\r\n';
const end = '--xYz--\r\n';

const whole = [
  field('model', 'whisper') + file + field('stream', 'true') + end,
  file + field('model', 'whisper') + end,
  field('model', 'a') + file + field('model', 'b') + end,
  field('model', ' ') + end,
  field('model', 'm'.repeat(1025)) + end,
  `--xYz\r\nContent-Disposition: form-data; name="model"\r\n\r\n--xYz--`,
  `--xYz\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n--xYz\r\n${field('model', 'm').slice(7)}${end}`,
  file + end,
  field('model', 'm') + file,
  `${field('model', 'm')}--xYzz`,
  `${field('model', 'm')}${end}and what nobody reads --xYz\r\n`,
  `preamble${field('model', 'm')}${end}`,
  '',
];

function scanned(pieces: readonly Buffer[]): unknown {
  const scan = FormScan.of(type);
  assert.ok(scan);
  for (const piece of pieces) {
    const fault = scan.push(piece);
    if (fault) return fault;
  }
  return scan.end() ?? scan.call;
}

test('a form cut in two at any byte, or into single bytes, reads as the whole one does', () => {
  for (const text of whole) {
    const form = Buffer.from(text);
    const expected = readForm(form, type);
    for (let at = 0; at <= form.length; at += 1) {
      assert.deepEqual(scanned([form.subarray(0, at), form.subarray(at)]), expected, `${text} cut at ${at}`);
    }
    assert.deepEqual(scanned(Array.from(form, (byte) => Buffer.of(byte))), expected, `${text} in single bytes`);
  }
});

/** After how many bytes of the form it could be placed; -1 for never. */
function placeableAt(text: string): number {
  const scan = FormScan.of(type);
  assert.ok(scan);
  const form = Buffer.from(text);
  for (let at = 0; at < form.length; at += 1) {
    assert.equal(scan.push(form.subarray(at, at + 1)), null);
    if (scan.isPlaceable) return at + 1;
  }
  return -1;
}

test('a form can be placed when its model is known and a file begins, whatever fields stand in between', () => {
  const fields = field('model', 'm') + field('stream', 'true');
  assert.equal(placeableAt(fields + file + end), (fields + file).indexOf('RIFF'));
  const behind = file + field('model', 'm') + end;
  assert.equal(placeableAt(behind), behind.length - 2);
  assert.equal(placeableAt(file), -1);
});

test('a long field behind the model does not keep the form from being placed', () => {
  const start = field('model', 'm');
  const at = placeableAt(start + field('prompt', 'x'.repeat(100_000)));
  assert.ok(at > 64 * 1024 && at < 66 * 1024, String(at));
});

test('the value of a long field is not kept, and a long `stream` is no true', () => {
  const form = field('stream', `true${' '.repeat(5000)}`) + field('model', 'm') + end;
  const call = readForm(Buffer.from(form), type);
  assert.ok(typeof call === 'object' && !call.stream);
});
