import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResponseHeaders } from '../../http-client/exchange.ts';
import { addCrossingHeaders } from './answer-head.ts';

function crossingHeaders(headers: ResponseHeaders): string[] {
  const crossing: string[] = [];
  addCrossingHeaders(headers, crossing);
  return crossing;
}

test('of a node’s headers only those that describe the content cross', () => {
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'content-length': '5',
    'cache-control': 'no-cache, max-age=0',
    server: 'llama.cpp',
    via: '1.1 gpu-1',
    location: 'http://10.0.0.5/',
    'set-cookie': ['node=gpu-1'],
    'x-served-by': 'gpu-1',
  };
  assert.deepEqual(crossingHeaders(headers), [
    'content-type',
    'text/event-stream; charset=utf-8',
    'cache-control',
    'no-cache, max-age=0',
  ]);
});

test('values that cross are cut down to what the standard defines', () => {
  assert.deepEqual(crossingHeaders({ 'content-type': 'application/json; node=gpu-1; charset="UTF-8"' }), [
    'content-type',
    'application/json; charset=UTF-8',
  ]);
  assert.deepEqual(crossingHeaders({ 'cache-control': 'private, gpu-1, no-store="10.0.0.5"' }), [
    'cache-control',
    'private',
  ]);
  assert.deepEqual(
    crossingHeaders({ 'content-type': 'gpu-1', 'content-encoding': 'x-gpu-1', 'cache-control': 'gpu-1' }),
    [],
  );
});
