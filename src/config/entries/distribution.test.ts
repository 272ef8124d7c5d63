import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom, problemsOf } from '../../../test/support/load-config.ts';

test('rules of distribution are read, each with its origin', async (t) => {
  const { settings, origins } = await loadedFrom(t, {
    yaml: 'distribution:\n  - model: "llama3.2:3b"\n    tags: [gpu, site=a]\n  - { model: nomic-embed-text }\n',
  });
  assert.deepEqual(settings.distribution, [
    { model: 'llama3.2:3b', tags: ['gpu', 'site=a'] },
    { model: 'nomic-embed-text', tags: null },
  ]);
  assert.equal(origins.get('distribution.llama3.2:3b'), 'file:2');
});

test('what is wrong with a rule or with the upkeep of a node is told with its place', async (t) => {
  const problems = await problemsOf(t, {
    yaml: `
distribution:
  - { tags: [gpu] }
  - { model: m, tag: [gpu] }
  - { model: m, tags: [] }
  - { model: m, tags: ["a b"] }
nodes:
  - { url: "http://a", tags: gpu, memory: 1kb, logsUrl: "http://a/log#end" }
  - { url: "http://b", logsUrl: "http://u:p@b/log" }
`,
  });
  const expected = [
    /distribution\[0\].*:3.*has no model; write model: NAME/,
    /distribution\[1\]\.tag.*did you mean tags\?/,
    /distribution\[2\]\.tags.*is empty/,
    /distribution\[3\]\.tags\[0\].*"a b" is not a tag/,
    /nodes\[0\]\.tags.*must be a list/,
    /nodes\[0\]\.memory.*too small/,
    /nodes\[0\]\.logsUrl.*has a fragment/,
    /nodes\[1\]\.logsUrl.*has a user or password/,
  ];
  for (const pattern of expected) {
    assert.ok(
      problems.some((problem) => pattern.test(problem)),
      `${pattern}\n${problems.join('\n')}`,
    );
  }
  assert.equal(problems.length, expected.length);
});
