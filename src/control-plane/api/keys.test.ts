import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { startTestControlPlane, refusal } from '../../../test/support/control-plane.ts';
import { temporaryDirectory, testSettings } from '../../../test/support/settings.ts';

test('a key is shown once, kept as a hash, in force at once, and gone at once', async () => {
  const settings = testSettings({ dataDir: temporaryDirectory() });
  await using plane = await startTestControlPlane(settings);
  const body = {
    label: 'team',
    models: ['llama3:latest'],
    maxConcurrent: 2,
    ratePerMinute: 60,
    maxPriority: 'high',
    maxDeadline: '90s',
    mayManage: true,
    resume: false,
    expiresAt: '2030-01-01T00:00:00Z',
  };
  const created = await plane.api('POST', '/api/keys', body);
  assert.equal(created.status, 201, created.text);
  const { id, key } = Object(created.json);
  assert.match(key, /^weir_[\w-]{43}$/);
  const hash = createHash('sha256').update(key).digest('hex');
  assert.deepEqual(plane.snapshot().keys.get(hash), {
    id,
    label: 'team',
    expiresAt: Date.UTC(2030, 0, 1),
    models: ['llama3'],
    weight: 1,
    maxConcurrent: 2,
    ratePerMinute: 60,
    maxPriority: 'high',
    maxDeadlineMs: 90_000,
    mayManage: true,
    resume: false,
  });
  const listed = await plane.api('GET', '/api/keys');
  assert.ok(!listed.text.includes(key) && !listed.text.includes(hash));
  assert.equal(Object(listed.json).data[0].label, 'team');
  assert.equal((await plane.api('DELETE', `/api/keys/${id}?abort=true`)).status, 204);
  assert.equal(plane.snapshot().keys.size, 0);
  assert.deepEqual(
    plane.messages.findLast(({ kind }) => kind === 'abort'),
    { kind: 'abort', keyId: id },
  );
  assert.match(await refusal(plane, 'DELETE', `/api/keys/${id}`), /^404 not_found/);
  assert.match(await refusal(plane, 'POST', '/api/keys', { label: '' }), /^400 invalid_request: label/);
});

test('declared keys are in force, keep their id over a restart, and are changed only where they are declared', async () => {
  const declared = {
    label: 'ci',
    hash: 'ab'.repeat(32),
    expiresAt: null,
    models: null,
    weight: 2,
    maxConcurrent: null,
    ratePerMinute: null,
    maxPriority: 'normal' as const,
    maxDeadlineMs: null,
    mayManage: false,
    resume: true,
  };
  const ids: string[] = [];
  for (let start = 0; start < 2; start += 1) {
    await using plane = await startTestControlPlane(testSettings({ auth: { keys: [declared] } }));
    const snapshotKey = plane.snapshot().keys.get(declared.hash);
    assert.equal(snapshotKey?.weight, 2);
    ids.push(snapshotKey?.id ?? '');
    assert.match(await refusal(plane, 'DELETE', `/api/keys/${snapshotKey?.id}`), /^409 managed_by_config/);
  }
  assert.equal(ids[0], ids[1]);
});
