import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/support/settings.ts';
import { testAttempt, testSettlement } from '../../../test/support/settlement.ts';
import { ManualClock } from '../../lib/clock.ts';
import { openDatabase } from './database.ts';
import { findRequest, listRequests } from './history-query.ts';
import { History } from './history.ts';
import { addressHmac } from './secrets-table.ts';

function historyIn(dataDir: string, maxRows = 1000, wallStartMs?: number) {
  const clock = new ManualClock(0, wallStartMs ?? Date.UTC(2026, 0, 1));
  const database = openDatabase(dataDir);
  const drops: number[] = [];
  const history = new History({
    database,
    clock,
    days: 7,
    maxRows,
    addressHmac: addressHmac(database),
    onDrop: (rows) => drops.push(rows),
  });
  const stored = (): number => Number(database.prepare('SELECT count(*) AS n FROM requests').get()?.['n']);
  const attempts = (): number => Number(database.prepare('SELECT count(*) AS n FROM attempts').get()?.['n']);
  return { clock, database, history, drops, stored, attempts };
}

test('settlements are written together, a tenth of a second after the first came', () => {
  const { clock, history, stored } = historyIn(temporaryDirectory());
  history.add([testSettlement(1)]);
  clock.advance(60);
  history.add([testSettlement(2), testSettlement(3)]);
  clock.advance(39);
  assert.equal(stored(), 0);
  clock.advance(1);
  assert.equal(stored(), 3);
});

test('a request is kept with its attempts, and its client as an HMAC of the address', () => {
  const { database, history } = historyIn(temporaryDirectory());
  const attempts = [
    testAttempt('a', { end: 'reset', status: null, model: 'own' }),
    testAttempt('b', { model: 'openai:o3' }),
  ];
  const settlement = testSettlement(1, { attempts, waitMs: 12.5 });
  history.add([settlement, testSettlement(2), testSettlement(3, { address: null })]);
  history.flush();
  const found = findRequest(database, settlement.id);
  assert.deepEqual(found?.['attempts'], attempts);
  assert.deepEqual([found?.['model'], found?.['servedModel']], ['llama3', 'openai:o3']);
  assert.deepEqual(found?.['usage'], settlement.usage);
  assert.equal(found?.['waitMs'], 12.5);
  const callers = listRequests(database, { limit: 10 }).data.map((row) => row['caller']);
  assert.equal(callers[0], null);
  assert.match(String(callers[1]), /^[0-9a-f]{32}$/);
  assert.equal(callers[1], callers[2]);
  assert.ok(!JSON.stringify(database.prepare('SELECT * FROM requests').all()).includes('192.0.2.7'));
  assert.equal(findRequest(database, 'no-such-id'), null);
});

test('a request without an attempt has none, one whose only attempt failed has that', () => {
  const { database, history } = historyIn(temporaryDirectory());
  const only = [testAttempt('a', { end: 'connect-failed', status: null, model: 'own' })];
  const settlements = [testSettlement(1, { attempts: [] }), testSettlement(2, { attempts: only })];
  history.add(settlements);
  history.flush();
  const found = settlements.map(({ id }) => findRequest(database, id)?.['attempts']);
  assert.deepEqual(found, [[], only]);
});

test('a time given by hand finds a request whose id was made a moment earlier or later', () => {
  const { database, history } = historyIn(temporaryDirectory());
  const { id, arrivedAt } = testSettlement(5);
  const late = testSettlement(6, { arrivedAt: arrivedAt - 3 });
  const early = testSettlement(4, { arrivedAt: arrivedAt + 3 });
  history.add([testSettlement(5, { id }), late, early]);
  history.flush();
  const from = listRequests(database, { limit: 10, since: arrivedAt }).data.map((row) => row['id']);
  assert.deepEqual(from, [id, early.id]);
  const before = listRequests(database, { limit: 10, until: arrivedAt }).data.map((row) => row['id']);
  assert.deepEqual(before, [late.id]);
});

test('pages go from the newest to the oldest and neither repeat nor skip, also while rows come in', () => {
  const { database, history } = historyIn(temporaryDirectory());
  const settlements = Array.from({ length: 25 }, (_, nth) => testSettlement(nth));
  history.add(settlements);
  history.flush();
  const seen: unknown[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 3; pages += 1) {
    const page = listRequests(database, { limit: 10, ...(cursor === null ? {} : { cursor }) });
    seen.push(...page.data.map((row) => row['id']));
    cursor = page.nextCursor;
    history.add([testSettlement(100 + pages)]);
    history.flush();
  }
  assert.equal(cursor, null);
  assert.deepEqual(seen, settlements.map(({ id }) => id).toReversed());
});

test('every filter leaves exactly what it names', () => {
  const { database, history } = historyIn(temporaryDirectory());
  const odd = testSettlement(5, {
    model: 'other',
    outcome: 'refused',
    status: 503,
    code: 'capacity_exceeded',
    keyId: 'key-1',
    attempts: [testAttempt('gpu-3', { end: 'reset' }), testAttempt('gpu-2')],
  });
  history.add([testSettlement(1), odd, testSettlement(9, { attempts: [] })]);
  history.flush();
  const only = [
    { model: 'other' },
    { outcome: 'refused' },
    { status: 503 },
    { code: 'capacity_exceeded' },
    { keyId: 'key-1' },
    { node: 'gpu-2' },
    { node: 'id-gpu-2' },
    { node: 'gpu-3' },
    { since: odd.arrivedAt, until: odd.arrivedAt + 1 },
  ];
  for (const filter of only) {
    const ids = listRequests(database, { limit: 10, ...filter }).data.map((row) => row['id']);
    assert.deepEqual(ids, [odd.id], JSON.stringify(filter));
  }
  assert.equal(listRequests(database, { limit: 10, model: "'; DROP TABLE requests; --" }).data.length, 0);
  assert.equal(listRequests(database, { limit: 10 }).data.length, 3);
});

test('the oldest rows go when there are more than the limit', () => {
  const { database, history, stored, attempts } = historyIn(temporaryDirectory(), 5);
  const twice = { attempts: [testAttempt('a', { end: 'reset' }), testAttempt('b')] };
  history.add(Array.from({ length: 12 }, (_, nth) => testSettlement(nth, twice)));
  history.flush();
  assert.deepEqual([stored(), attempts()], [5, 5]);
  assert.equal(listRequests(database, { limit: 1 }).data[0]?.['arrivedAt'], testSettlement(11).arrivedAt);
});

test('rows older than the days kept go', () => {
  const now = Date.UTC(2026, 0, 1) + 7 * 86_400_000 + 5000;
  const { clock, history, stored } = historyIn(temporaryDirectory(), 1000, now);
  history.add(Array.from({ length: 12 }, (_, nth) => testSettlement(nth)));
  history.flush();
  clock.advance(2000);
  assert.equal(stored(), 5);
});

test('a full disk drops rows, counts them, and is over when there is room again', () => {
  const { database, history, drops, stored } = historyIn(temporaryDirectory());
  database.exec(`PRAGMA max_page_count = ${String(database.prepare('PRAGMA page_count').get()?.['page_count'])}`);
  const batch = Array.from({ length: 200 }, (_, nth) => testSettlement(nth, { path: '/'.padEnd(2000, 'x') }));
  history.add(batch);
  history.flush();
  assert.deepEqual([drops, stored()], [[200], 0]);
  database.exec('PRAGMA max_page_count = 1000000');
  history.add(batch);
  history.flush();
  assert.deepEqual([drops, stored()], [[200], 200]);
});

function lockedHistory() {
  const dataDir = temporaryDirectory();
  const opened = historyIn(dataDir, 100_000);
  const other = new DatabaseSync(join(dataDir, 'weir.db'));
  other.exec('BEGIN IMMEDIATE');
  // Patience is for real locks; here it would only take the tests' time.
  opened.database.exec('PRAGMA busy_timeout = 0');
  return { ...opened, unlock: () => other.exec('ROLLBACK') };
}

test('rows that come while another program holds the database are written when it lets go', () => {
  const { clock, history, drops, stored, unlock } = lockedHistory();
  for (let nth = 0; nth < 51; nth += 1) {
    history.add([testSettlement(nth)]);
    clock.advance(20);
  }
  clock.advance(20_000);
  assert.deepEqual([drops, stored()], [[], 0]);
  unlock();
  clock.advance(1000);
  assert.deepEqual([drops, stored()], [[], 51]);
  history.add([testSettlement(51)]);
  clock.advance(100);
  assert.equal(stored(), 52);
});

test('rows wait half a minute for another program, then they are dropped and counted', () => {
  const { clock, history, drops, unlock, stored } = lockedHistory();
  history.add([testSettlement(1), testSettlement(2)]);
  clock.advance(30_000);
  assert.deepEqual(drops, []);
  clock.advance(1100);
  assert.deepEqual(drops, [2]);
  // As long as it is held no new wait begins, and it is over when the file is free.
  history.add([testSettlement(3)]);
  clock.advance(100);
  assert.deepEqual(drops, [2, 1]);
  unlock();
  history.add([testSettlement(4)]);
  clock.advance(100);
  assert.equal(stored(), 1);
});

test('at most ten thousand rows wait for another program, the newest ones', () => {
  const { clock, history, drops, unlock, stored, database } = lockedHistory();
  const settlements = Array.from({ length: 10_002 }, (_, nth) => testSettlement(nth, { attempts: [] }));
  history.add(settlements.slice(0, 10_000));
  clock.advance(100);
  assert.deepEqual(drops, []);
  history.add(settlements.slice(10_000));
  assert.deepEqual(drops, [2]);
  unlock();
  clock.advance(1000);
  assert.equal(stored(), 10_000);
  const isStored = (nth: number): boolean => findRequest(database, settlements[nth]?.id ?? '') !== null;
  assert.deepEqual([0, 1, 2, 10_001].map(isStored), [false, false, true, true]);
});

test('a stop drops and counts what still waits for another program', () => {
  const { clock, history, drops } = lockedHistory();
  history.add([testSettlement(1)]);
  clock.advance(100);
  history.stop();
  assert.deepEqual(drops, [1]);
  clock.advance(60_000);
  assert.deepEqual(drops, [1]);
});

test('a database that was made read-only drops rows and counts them', () => {
  const { database, history, drops, stored } = historyIn(temporaryDirectory());
  database.exec('PRAGMA query_only = 1');
  history.add([testSettlement(2), testSettlement(3)]);
  history.flush();
  assert.deepEqual(drops, [2]);
  database.exec('PRAGMA query_only = 0');
  history.add([testSettlement(4)]);
  history.flush();
  assert.equal(stored(), 1);
});
