import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readForm, withModelInForm } from './read-form.ts';

const type = 'multipart/form-data; boundary=xYz';

function form(...parts: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(`${parts.map(([head, value]) => `--xYz\r\n${head}\r\n\r\n${value}\r\n`).join('')}--xYz--\r\n`);
}

const field = (name: string, value: string): readonly [string, string] => [
  `Content-Disposition: form-data; name="${name}"`,
  value,
];
const file: readonly [string, string] = [
  'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav',
  'RIFF\r\n\r\n--xY not the end\r\nname="model"\r\n\r\nother',
];

test('the model is found before and after the file, and the stream field beside it', () => {
  for (const body of [
    form(field('model', 'whisper'), file, field('stream', 'true')),
    form(field('stream', 'true'), file, field('model', 'whisper')),
  ]) {
    const call = readForm(body, type);
    assert.ok(typeof call === 'object');
    assert.deepEqual([call.model, call.stream], ['whisper', true]);
    assert.equal(withModelInForm(body, call, 'whisper'), body);
    const renamed = withModelInForm(body, call, 'openai/whisper-1');
    assert.equal(renamed.toString(), body.toString().replace('\r\n\r\nwhisper\r\n', '\r\n\r\nopenai/whisper-1\r\n'));
  }
  const quiet = readForm(form(field('model', 'm'), field('stream', 'false')), 'multipart/form-data; boundary="xYz"');
  assert.ok(typeof quiet === 'object' && !quiet.stream);
});

test('a form without a model, with an empty one or with two says so', () => {
  assert.equal(readForm(form(file), type), 'missing_model');
  assert.equal(readForm(Buffer.from('--xYz--\r\n'), type), 'missing_model');
  assert.equal(readForm(form(field('model', ' ')), type), 'invalid_model');
  assert.equal(readForm(form(field('model', '')), type), 'invalid_model');
  assert.equal(readForm(form(field('model', 'a'), field('model', 'b')), type), 'invalid_model');
  assert.equal(readForm(form(field('model', 'a'.repeat(2000))), type), 'invalid_model');
});

test('a form that two parsers could read in two ways is refused', () => {
  const good = form(field('model', 'm'));
  for (const [body, contentType] of [
    [good, 'multipart/form-data'],
    [good, 'multipart/form-data; boundary=xYz; boundary=other'],
    [good, 'multipart/form-data; boundary=other'],
    [Buffer.from(`preamble\r\n${good.toString()}`), type],
    [good.subarray(0, -4), type],
    [good.subarray(0, 30), type],
    [Buffer.alloc(0), type],
    [form(['Content-Disposition: form-data; name="a"; name="model"', 'm']), type],
    [form([`Content-Disposition: form-data; name*=utf-8''model`, 'm']), type],
    [form(['Content-Disposition: form-data; name=model', 'm']), type],
    [form(['Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"', 'm']), type],
    [form(['Content-Type: text/plain', 'm']), type],
    [form([`Content-Disposition: form-data; name="a"\r\nx: ${'y'.repeat(5000)}`, 'm']), type],
  ] as const) {
    assert.equal(readForm(body, contentType), 'invalid_form', body.toString().slice(0, 120) + contentType);
  }
});
