import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeRequest } from '../exchange.ts';
import { requestBytes } from './request-head.ts';

function bytesOf(more: Partial<ExchangeRequest>): string {
  const bytes = requestBytes({ method: 'POST', path: '/x?y=1', headers: [], body: null, ...more }, 'node:8000');
  if (typeof bytes === 'string') return `refused: ${bytes}`;
  return Buffer.concat([bytes.first, bytes.rest ?? Buffer.alloc(0)]).toString('latin1');
}

const START = 'POST /x?y=1 HTTP/1.1\r\nhost: node:8000\r\nconnection: keep-alive\r\n';

test('a request is its line, our framing, its headers and its body', () => {
  const body = Buffer.from('{"é":1}');
  assert.equal(
    bytesOf({ headers: ['content-type', 'text/plain', 'X-Own', 'a\tb \xe9'], body }),
    `${START}content-type: text/plain\r\nX-Own: a\tb \xe9\r\ncontent-length: 8\r\n\r\n${body.toString('latin1')}`,
  );
});

test('a long body goes whole behind its head', () => {
  const body = Buffer.alloc(5_000_000, 'abc');
  assert.equal(bytesOf({ body }), `${START}content-length: 5000000\r\n\r\n${body.toString('latin1')}`);
});

test('only methods that may have a body say that they have none', () => {
  assert.ok(bytesOf({ method: 'POST' }).endsWith('\r\ncontent-length: 0\r\n\r\n'));
  assert.ok(bytesOf({ method: 'PUT' }).endsWith('\r\ncontent-length: 0\r\n\r\n'));
  for (const method of ['GET', 'HEAD', 'DELETE'] as const) assert.ok(!bytesOf({ method }).includes('content-length'));
});

test('nothing can write a header or a request of its own', () => {
  for (const [what, more] of [
    ['a line break in a value', { headers: ['x', 'a\r\nx-evil: 1'] }],
    ['a lone LF in a value', { headers: ['x', 'a\nb'] }],
    ['a NUL in a value', { headers: ['x', 'a\0b'] }],
    ['a character that is no byte', { headers: ['x', 'ċ'] }],
    ['a value of a usual header', { headers: ['accept', 'a\r\nb'] }],
    ['a colon in a name', { headers: ['x: y', 'a'] }],
    ['a line break in a name', { headers: ['x\r\ny', 'a'] }],
    ['no name', { headers: ['', 'a'] }],
    ['a path without its slash', { path: 'x' }],
    ['a blank in a path', { path: '/a HTTP/1.1' }],
    ['a line break in a path', { path: '/a\r\n' }],
    ['a character in a path that is no byte', { path: '/\u{10d}' }],
    ['a length', { headers: ['Content-Length', '5'] }],
    ['a coding', { headers: ['transfer-encoding', 'chunked'] }],
    ['a connection', { headers: ['Connection', 'close'] }],
    ['an expectation', { headers: ['expect', '100-continue'] }],
    ['a host', { headers: ['Host', 'other'] }],
  ] as const) {
    assert.match(bytesOf(more), /^refused: /, what);
  }
});
