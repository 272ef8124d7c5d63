import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDeadLinks, findUnknownMetrics } from './document-claims.ts';

test('a relative link must lead to a file, seen from its page', () => {
  const text = '[a](there.md), [b](gone.md#part) and [c](https://example.org/gone.md), [d](#part)';
  assert.deepEqual(
    findDeadLinks([{ path: 'docs/a.md', text }], (path) => path === 'docs/there.md'),
    ['docs/a.md: the link to gone.md leads nowhere'],
  );
});

test('a page names only metrics that there are', () => {
  const sources = [{ path: 'src/a.ts', text: "add('weir_slots', 'Slots')" }];
  const page = { path: 'docs/a.md', text: '`weir_slots{node}`, `weir_sloths` and `weir_sloths`' };
  assert.deepEqual(findUnknownMetrics([page], sources), ['docs/a.md: there is no metric weir_sloths']);
});
