import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testAttempt, testSettlement } from '../../../test/support/settlement.ts';
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
  log.requests([testSettlement(1)]);
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
  log.requests([testSettlement(1, { keyId: 'key-1', waitMs: 12.345 })]);
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

test("a request's line looks like the other lines", () => {
  const log = createLog('silent');
  log.requests([testSettlement(1)]);
  log.info('a');
  const [request, other] = log.tail(2).map((line): object => Object(JSON.parse(line)));
  for (const line of [request, other]) {
    const entries = Object.entries(line ?? {}).map(([field, value]) => `${field}: ${typeof value}`);
    assert.deepEqual([...entries.slice(0, 2), entries.at(-1)], ['level: string', 'time: number', 'message: string']);
  }
});

test('times are written with one decimal', () => {
  const log = createLog('silent');
  const times = [0, 0.04, 0.05, 1, 99.95, 1234.56, 86_400_000.49];
  log.requests(times.map((waitMs) => testSettlement(1, { waitMs })));
  const written = log.tail(10).map((line) => Object(JSON.parse(line)).waitMs);
  assert.deepEqual(written, [0, 0, 0.1, 1, 100, 1234.6, 86_400_000.5]);
});

test('whatever a name is made of, every line is JSON of its own', () => {
  const written: string[] = [];
  const log = createLog('info', (lines) => written.push(lines));
  const odd = 'a "quoted"\\ name\nof\u2028two lines \ud800';
  const attempts = [testAttempt(odd), testAttempt('b')];
  log.requests([
    testSettlement(1, { model: odd, keyId: odd, attempts }),
    testSettlement(2, { model: null, usage: null }),
  ]);
  const lines = written.join('').split('\n');
  assert.deepEqual([written.length, lines.length, lines.at(-1)], [1, 3, '']);
  assert.deepEqual(log.tail(5), lines.slice(0, 2));
  const [first, second] = log.tail(2).map((line): { [field: string]: unknown } => Object(JSON.parse(line)));
  assert.deepEqual([first?.['model'], first?.['keyId'], first?.['nodes']], [odd, odd, [odd, 'b']]);
  assert.deepEqual([second?.['model'], second?.['promptTokens'], second?.['keyId']], [null, null, null]);
});
