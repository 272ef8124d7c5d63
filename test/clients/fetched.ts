import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { findClient } from '../../tools/clients/find.ts';
import type { FetchedClient } from '../../tools/clients/pins.ts';

/**
 * The path of a fetched client's program; null, and the test is skipped with the reason, where it is not here, unless
 * WEIR_REQUIRE_CLIENTS=1 says that it must be, as it does in CI.
 */
export function programOf(client: FetchedClient, t: TestContext): string | null {
  const found = findClient(client);
  if ('program' in found) return found.program;
  assert.notEqual(process.env['WEIR_REQUIRE_CLIENTS'], '1', found.absent);
  t.skip(found.absent);
  return null;
}
