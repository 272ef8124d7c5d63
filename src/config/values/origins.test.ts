import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOrigin } from './origins.ts';

test('an origin is a scheme, a host and a port, as browsers write it', () => {
  for (const text of ['https://chat.example', 'http://localhost:3000', 'http://[::1]:8080', 'app://obsidian.md', '*'])
    assert.deepEqual(parseOrigin(text), { ok: true, value: text });
});

test('what is no origin is refused with what was probably meant', () => {
  const meant: Readonly<Record<string, RegExp>> = {
    'https://chat.example/': /write https:\/\/chat\.example$/,
    'https://chat.example/app?x': /write https:\/\/chat\.example$/,
    'https://Chat.Example:443': /write https:\/\/chat\.example$/,
    'chat.example': /such as https:\/\/chat\.example/,
    null: /is not the origin of a web page/,
    'https://*.example': /such as|more than/,
    'file:///home': /is not the origin/,
    '': /is not the origin/,
  };
  for (const [text, advice] of Object.entries(meant)) {
    const reading = parseOrigin(text);
    assert.ok(!reading.ok, text);
    assert.match(reading.problem, advice);
  }
});
