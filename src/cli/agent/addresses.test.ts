import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../failure.ts';
import { advertisedUrl, readEngineUrl, readRouterUrl } from './addresses.ts';

function refused(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
  return '';
}

test('a router elsewhere is dialled with TLS, unless that is said not to matter', () => {
  assert.equal(readRouterUrl('https://router.example:9349', false).origin, 'https://router.example:9349');
  assert.equal(readRouterUrl('http://127.0.0.1:9349/', false).port, '9349');
  assert.equal(readRouterUrl('http://10.0.0.1:9349', true).port, '9349');
  assert.match(
    refused(() => readRouterUrl('http://10.0.0.1:9349', false)),
    /without TLS .*--insecure/,
  );
  for (const wrong of ['router:9349', 'https://router/path', 'https://a@router', '']) {
    assert.match(
      refused(() => readRouterUrl(wrong, true)),
      /where the router listens for agents/,
      wrong,
    );
  }
});

test("an advertised host takes the place of the engine's own, a URL of all", () => {
  const engine = 'http://127.0.0.1:8000/llm';
  assert.equal(advertisedUrl(null, engine), engine);
  assert.equal(advertisedUrl('10.0.0.5', engine), 'http://10.0.0.5:8000/llm');
  assert.equal(advertisedUrl('::1', 'http://127.0.0.1:8000'), 'http://[::1]:8000');
  assert.equal(advertisedUrl('gpu-1.local', 'http://127.0.0.1:8000'), 'http://gpu-1.local:8000');
  assert.equal(advertisedUrl('https://gpu-1/x', engine), 'https://gpu-1/x');
  assert.match(
    refused(() => advertisedUrl('no host', engine)),
    /write a host/,
  );
});

test("an engine's address is a URL without a query or a password", () => {
  assert.equal(readEngineUrl('http://127.0.0.1:8000/'), 'http://127.0.0.1:8000');
  for (const wrong of ['127.0.0.1:8000', 'ftp://x', 'http://a:b@x', 'http://x?y']) {
    assert.match(
      refused(() => readEngineUrl(wrong)),
      /write auto, or its address/,
      wrong,
    );
  }
});
