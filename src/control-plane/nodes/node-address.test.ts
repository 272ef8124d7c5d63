import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeUrlError, readNodeUrl, sameMachineUrl } from './node-address.ts';

test('a node URL may end in slashes and /v1, or lie under a base path', () => {
  const cases = [
    ['http://10.0.0.5:8000', 'http://10.0.0.5:8000', ''],
    [' http://host/ ', 'http://host', ''],
    ['http://host:80/v1', 'http://host', ''],
    ['https://host/openai/v1//', 'https://host', '/openai'],
    ['http://[::1]:11434/v1', 'http://[::1]:11434', ''],
    ['http://host/v1/deep', 'http://host', '/v1/deep'],
    ['http://host/av1', 'http://host', '/av1'],
  ] as const;
  for (const [written, origin, basePath] of cases) {
    assert.deepEqual(readNodeUrl(written), { origin, basePath, baseUrl: origin + basePath });
  }
});

test('a URL that no node can have is refused with what to write', () => {
  const cases = [
    ['nonsense', /not a URL.*http:\/\//],
    ['localhost:8080', /Write it like http:/],
    ['ftp://host', /http:\/\/ or https:\/\//],
    ['http://user:secret@host', /apiKey/],
    ['http://host/?a=b', /"\?"/],
    ['', /not a URL/],
  ] as const;
  for (const [written, message] of cases) {
    assert.throws(() => readNodeUrl(written), message);
    assert.throws(() => readNodeUrl(written), NodeUrlError);
  }
});

test('the ways to write this machine are one', () => {
  for (const host of ['localhost', '127.0.0.1', '[::1]', '127.9.9.9']) {
    assert.equal(sameMachineUrl(`http://${host}:11434`), 'http://127.0.0.1:11434');
  }
  assert.equal(sameMachineUrl('http://localhost.example:1'), 'http://localhost.example:1');
  assert.equal(sameMachineUrl('http://10.0.0.1:1'), 'http://10.0.0.1:1');
});
