import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/support/settings.ts';
import { openDatabase } from './database.ts';
import { addressHmac } from './secrets-table.ts';

test('an address stands for itself however many there are, also after a restart, and in another router for another', () => {
  const dataDir = temporaryDirectory();
  const database = openDatabase(dataDir);
  const hmacOf = addressHmac(database);
  const addresses = Array.from({ length: 2500 }, (_, nth) => `192.0.${Math.floor(nth / 250)}.${nth % 250}`);
  const first = addresses.map(hmacOf);
  assert.equal(new Set(first).size, addresses.length);
  assert.deepEqual(addresses.map(hmacOf), first);
  database.close();
  const reopened = openDatabase(dataDir);
  assert.deepEqual(addresses.slice(0, 3).map(addressHmac(reopened)), first.slice(0, 3));
  reopened.close();
  const other = openDatabase(temporaryDirectory());
  assert.notEqual(addressHmac(other)('192.0.0.0'), first[0]);
  other.close();
});
