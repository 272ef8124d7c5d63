import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/support/settings.ts';
import { openDatabase, transaction, UnusableDatabase } from './database.ts';
import { findRequest, listRequests } from './history-query.ts';
import { NodesTable } from './nodes-table.ts';
import { initial } from './schema/001-initial.ts';

test('a database is made once and opened again as it was', () => {
  const dataDir = temporaryDirectory();
  const first = openDatabase(dataDir);
  const id = new NodesTable(first, () => 1).put('a', 'api', {
    name: 'a',
    url: 'http://a',
    engine: 'auto',
    headers: {},
  });
  first.close();
  const second = openDatabase(dataDir);
  const [node] = new NodesTable(second, () => 1).all();
  assert.deepEqual([node?.id, node?.settings?.url], [id, 'http://a']);
  assert.equal(second.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
  second.close();
});

test('a file that is no database is refused with what to do', () => {
  const dataDir = temporaryDirectory();
  writeFileSync(join(dataDir, 'weir.db'), 'this is not a database, whatever its name says'.repeat(100));
  assert.throws(() => openDatabase(dataDir), UnusableDatabase);
  assert.throws(() => openDatabase(dataDir), /weir\.db cannot be used: file is not a database.*move it away/);
});

test('a database of a newer version is refused, not touched', () => {
  const dataDir = temporaryDirectory();
  const database = openDatabase(dataDir);
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(() => openDatabase(dataDir), /newer weir \(schema 99.*Start the newer version/);
});

test('a directory that is not there is refused with what to do', () => {
  assert.throws(() => openDatabase(join(temporaryDirectory(), 'gone')), /cannot be used: unable to open database file/);
  const blocked = temporaryDirectory();
  mkdirSync(join(blocked, 'weir.db'));
  assert.throws(() => openDatabase(blocked), UnusableDatabase);
});

test('a transaction that fails leaves nothing behind', () => {
  const database = openDatabase(temporaryDirectory());
  const table = new NodesTable(database, () => 1);
  assert.throws(
    () =>
      transaction(database, () => {
        database.exec("INSERT INTO nodes VALUES ('i', 'n', 'api', NULL, 0, 1)");
        throw new Error('half way');
      }),
    /half way/,
  );
  assert.deepEqual(table.all(), []);
});

test('a node keeps its id under its name, and a renamed one may take a name that is no longer used', () => {
  const table = new NodesTable(openDatabase(temporaryDirectory()), () => 1);
  const id = table.idOf('a', 'config');
  assert.equal(table.idOf('a', 'config'), id);
  const other = table.put('b', 'api', { name: 'b', url: 'http://b', engine: 'auto', headers: {} });
  assert.notEqual(other, id);
  table.change(other, { name: 'a', url: 'http://b', engine: 'auto', headers: {} });
  assert.deepEqual(
    table.all().map((node) => [node.id, node.name]),
    [[other, 'a']],
  );
});

test('requests kept by the first schema are kept, with all their attempts', () => {
  const dataDir = temporaryDirectory();
  const old = new DatabaseSync(join(dataDir, 'weir.db'));
  old.exec(`${initial}
    PRAGMA user_version = 1;
    INSERT INTO requests VALUES ('019b7000-0000-7000-8000-000000000000', NULL, NULL, 1767225600000, 'openai', '/v1/chat/completions',
      'llama3', NULL, NULL, 0, 'served', 200, NULL, NULL, 20.5, 100.25, 300, 4000, 10, 20, NULL, 0);
    INSERT INTO attempts VALUES ('019b7000-0000-7000-8000-000000000000', 0, 'id-a', 'a', 1, 2, NULL, 'reset');
    INSERT INTO attempts VALUES ('019b7000-0000-7000-8000-000000000000', 1, 'id-b', 'b', 3, 4, 200, 'complete');`);
  old.close();
  const database = openDatabase(dataDir);
  const found = findRequest(database, '019b7000-0000-7000-8000-000000000000');
  assert.deepEqual(found?.['attempts'], [
    { nodeId: 'id-a', nodeName: 'a', startedAfterMs: 1, durationMs: 2, status: null, end: 'reset', model: 'llama3' },
    { nodeId: 'id-b', nodeName: 'b', startedAfterMs: 3, durationMs: 4, status: 200, end: 'complete', model: 'llama3' },
  ]);
  for (const filter of [{ node: 'b' }, { model: 'llama3' }, {}]) {
    assert.equal(listRequests(database, { limit: 10, ...filter }).data.length, 1);
  }
  database.close();
  openDatabase(dataDir).close();
});
