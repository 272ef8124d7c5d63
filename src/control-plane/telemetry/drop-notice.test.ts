import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { DropNotice } from './drop-notice.ts';
import { createLog } from './log.ts';
import { Metrics } from './metrics.ts';

test('dropped rows are counted each and told once a minute', () => {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const log = createLog('silent');
  const notice = new DropNotice(clock, metrics, log);
  for (const rows of [3, 4, 5]) notice.dropped(rows, 'disk full');
  clock.advance(59_999);
  notice.dropped(1, 'disk full');
  assert.equal(log.tail(10).length, 1);
  clock.advance(1);
  notice.dropped(2, 'disk full');
  const told = log.tail(10).map((line) => Object(JSON.parse(line)).rows);
  assert.deepEqual(told, [3, 12]);
  assert.match(metrics.page(), /weir_history_dropped_total 15/);
});
