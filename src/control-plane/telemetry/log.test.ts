import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSettlement } from '../../../test/support/settlement.ts';
import { createLog } from './log.ts';

test('a silent log writes nothing and still keeps its lines', () => {
  const written: string[] = [];
  const log = createLog('silent', (line) => written.push(line));
  log.info('a');
  assert.deepEqual([written.length, log.tail(5).length], [0, 1]);
});

test('lines below the level are neither written nor kept', () => {
  const written: string[] = [];
  const log = createLog('warn', (line) => written.push(line));
  log.settlement(testSettlement(1));
  log.info('a');
  log.warn('b', { count: 1 });
  log.error('c');
  assert.deepEqual(
    written.map((line) => Object(JSON.parse(line)).message),
    ['b', 'c'],
  );
  assert.deepEqual(
    log.tail(5),
    written.map((line) => line.trimEnd()),
  );
});

test("a request's line has exactly the fields that are fit to be written", () => {
  const log = createLog('silent');
  log.settlement(testSettlement(1, { keyId: 'key-1', waitMs: 12.345 }));
  const line = Object(JSON.parse(log.tail(1)[0] ?? ''));
  assert.deepEqual(Object.keys(line).toSorted(), [
    'code',
    'completionTokens',
    'dialect',
    'durationMs',
    'firstByteMs',
    'id',
    'keyId',
    'level',
    'message',
    'model',
    'nodes',
    'outcome',
    'promptTokens',
    'status',
    'stream',
    'time',
    'waitMs',
  ]);
  assert.equal(line.waitMs, 12.3);
});
