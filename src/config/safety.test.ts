import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom, problemsOf, settingsFrom } from '../../test/support/load-config.ts';

const pem = '-----BEGIN CERTIFICATE-----\n';

test('no keys beyond loopback is refused, and the message says what to do', async (t) => {
  const flags = { listen: '0.0.0.0:9347', 'auth.clients': 'off' };
  const problems = await problemsOf(t, { flags });
  assert.equal(problems.length, 1);
  assert.match(
    problems[0] ?? '',
    /^auth\.clients: off, while listen is 0\.0\.0\.0:9347: .*write auth\.clients: required, .*--insecure$/,
  );
  assert.equal((await settingsFrom(t, { flags: { ...flags, insecure: 'true' } })).auth.clients, 'off');
  assert.deepEqual(await problemsOf(t, { flags: { ...flags, listen: '127.0.0.1:0' } }), []);
  assert.deepEqual(await problemsOf(t, { flags: { ...flags, 'auth.clients': 'auto' } }), []);
});

test('every web page is let in only where keys are required', async (t) => {
  const flags = { 'cors.origins': '*' };
  const [problem, ...others] = await problemsOf(t, { flags });
  assert.match(problem ?? '', /^cors\.origins: \*, while clients need no keys: .*name the origins, .*--insecure$/);
  assert.deepEqual(others, []);
  assert.equal((await problemsOf(t, { flags: { ...flags, 'auth.clients': 'off' } })).length, 1);
  for (const more of [{ 'auth.clients': 'required' }, { listen: '0.0.0.0:9347' }, { insecure: 'true' }])
    assert.deepEqual(await problemsOf(t, { flags: { ...flags, ...more } }), []);
  const yaml = 'cors: { origins: ["https://chat.example", "http://localhost:3000"] }';
  const named = ['https://chat.example', 'http://localhost:3000'];
  assert.deepEqual((await settingsFrom(t, { yaml })).cors.origins, named);
});

test('an admin listener beyond loopback needs TLS', async (t) => {
  const env = { WEIR_ADMIN_LISTEN: '[::]:9348' };
  const problems = await problemsOf(t, { env });
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^admin\.listen: \[::\]:9348 can be reached.*set admin\.tls .*--insecure$/);
  assert.deepEqual(await problemsOf(t, { env: { ...env, WEIR_INSECURE: '1' } }), []);
  const files = { 'c.pem': pem, 'k.pem': pem };
  const settings = await settingsFrom(t, { env, files, yaml: 'admin: { tls: { cert: c.pem, key: k.pem } }' });
  assert.match(settings.admin.tls?.cert ?? '', /^\/.*\/c\.pem$/);
});

test('a listener needs certificate and key, and both must be readable', async (t) => {
  assert.deepEqual(await problemsOf(t, { yaml: 'tls: { cert: c.pem }', files: { 'c.pem': pem } }), [
    'tls: needs cert and key together; key is missing',
  ]);
  const missing = await problemsOf(t, { yaml: 'tls: { cert: c.pem, key: k.pem }', files: { 'c.pem': pem } });
  assert.equal(missing.length, 1);
  assert.match(missing[0] ?? '', /^tls\.key: ".*\/k\.pem" cannot be read/);
});

test('both listeners on one address are refused, except on port 0', async (t) => {
  assert.match(
    (await problemsOf(t, { flags: { listen: '127.0.0.1:9348' } })).join(),
    /^admin\.listen: .* the clients' address too/,
  );
  assert.deepEqual(await problemsOf(t, { flags: { listen: '127.0.0.1:0', 'admin.listen': '127.0.0.1:0' } }), []);
});

test('settings that defeat each other earn a warning', async (t) => {
  const { warnings } = await loadedFrom(t, { flags: { 'queue.maxBytes': '1mb', 'limits.body': '2mb' } });
  assert.match(warnings.join(), /queue\.maxBytes is below limits\.body/);
});

test('several threads are refused where the system cannot spread connections over them', async (t) => {
  const flags = { threads: '2' };
  assert.equal((await settingsFrom(t, { flags })).threads, 2);
  const problems = await problemsOf(t, { flags, platform: 'darwin' });
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^threads: 2 threads need .* this is darwin, not Linux; write 1, or /);
  assert.equal((await settingsFrom(t, { flags: { threads: '1' }, platform: 'win32' })).threads, 1);
  const [few, many] = [
    await problemsOf(t, { flags: { threads: '0' } }),
    await problemsOf(t, { flags: { threads: '65' } }),
  ];
  assert.match(few.join(), /threads.*0 is too small; write at least 1/);
  assert.match(many.join(), /threads.*65 is too large; write at most 64/);
});

test('a listener of agents beyond loopback needs TLS, a port of its own, a timeout of two heartbeats and a short dataDir', async (t) => {
  const open = { 'agents.listen': '0.0.0.0:9349' };
  const [problem, ...others] = await problemsOf(t, { flags: open });
  assert.match(problem ?? '', /^agents\.listen: 0\.0\.0\.0:9349 can be reached.*set agents\.tls .*--insecure$/);
  assert.deepEqual(others, []);
  assert.deepEqual(await problemsOf(t, { flags: { ...open, insecure: 'true' } }), []);
  const flags = { 'agents.listen': '127.0.0.1:9349' };
  assert.deepEqual(await problemsOf(t, { flags }), []);
  assert.match(
    (await problemsOf(t, { flags: { ...flags, 'agents.timeout': '15s' } })).join(),
    /^agents\.timeout: .*twice/,
  );
  assert.match(
    (await problemsOf(t, { flags: { 'agents.listen': '127.0.0.1:9348' } })).join(),
    /administrators connect/,
  );
  const dataDir = `/${'long/'.repeat(20)}`;
  assert.match((await problemsOf(t, { flags: { ...flags, dataDir } })).join(), /^dataDir: is too long .* by \d+ char/);
  assert.deepEqual(await problemsOf(t, { flags: { dataDir } }), []);
});
