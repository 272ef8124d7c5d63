import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loadedFrom, problemsOf, settingsFrom } from '../../test/support/load-config.ts';

const contractFile = `
listen: 127.0.0.1:9347
admin: { listen: 127.0.0.1:9348 }
dataDir: ~/.weir                 # SQLite and secrets, mode 0700, locked by one process
auth: { clients: auto }          # auto: keys required unless listening on loopback; required; off
discovery: { enabled: true }     # look for engines on this machine's usual ports
queue: { maxWaiters: 1024, timeout: 30s, maxBytes: 256mb, maxShare: 0.75 }
pool: { maxIdlePerNode: 32, idleTimeout: 60s, tcpKeepAlive: 30s }
selection: { policy: least-loaded, cacheTtl: 10ms }
timeouts: { connect: 5s, firstByte: 300s, betweenBytes: 120s, clientBody: 30s, shutdown: 30s }
limits: { body: 32mb }
nodes:
  - name: gpu-1
    url: "http://10.0.0.5:8000"  # may end in /v1 or lie under a base path
    engine: auto
    maxConcurrent: 16
    apiKey: "\${GPU1_KEY}"
    headers: {}
    models: { llama3: "meta-llama/Llama-3-8B" }   # optional
`;

test('without any source every setting has its documented default', async (t) => {
  const { settings, origins, file } = await loadedFrom(t, {});
  assert.deepEqual(settings, {
    threads: 1,
    listen: { host: '127.0.0.1', port: 9347 },
    tls: null,
    admin: { listen: { host: '127.0.0.1', port: 9348 }, tls: null, token: null },
    agents: { listen: null, tls: null, heartbeatMs: 10_000, timeoutMs: 30_000 },
    dataDir: '/home/tester/.weir',
    insecure: false,
    auth: { clients: 'auto', keys: [], trustedProxies: [] },
    cors: { origins: [] },
    discovery: { enabled: true, dns: [], file: null, nodes: [] },
    health: { intervalMs: 5000, timeoutMs: 3000 },
    queue: { maxWaiters: 1024, timeoutMs: 30_000, maxBytes: 268_435_456, maxShare: 0.75, reserved: 0 },
    pool: { maxIdlePerNode: 32, idleTimeoutMs: 60_000, tcpKeepAliveMs: 30_000 },
    selection: { policy: 'adaptive', cacheTtlMs: 10 },
    timeouts: {
      connectMs: 5000,
      firstByteMs: 300_000,
      betweenBytesMs: 120_000,
      clientBodyMs: 30_000,
      keepAliveMs: 15_000,
      shutdownMs: 30_000,
    },
    modelTimeouts: {},
    streams: { resume: true },
    limits: { bodyBytes: 33_554_432 },
    history: { days: 7, maxRows: 1_000_000 },
    catalogue: { url: 'https://huggingface.co', cacheTtlMs: 600_000 },
    tasks: { maxPulls: 4 },
    distribution: [],
    log: { level: 'info' },
    nodes: [],
    aliases: [],
  });
  assert.equal(file, null);
  assert.deepEqual(new Set(origins.values()), new Set(['default']));
});

test('the file of the contract is read as it stands and says the defaults', async (t) => {
  const env = { GPU1_KEY: 'sk-1' };
  const { nodes, ...rest } = await settingsFrom(t, { yaml: contractFile, env });
  const { nodes: _, ...defaults } = await settingsFrom(t, {});
  // It names the policy that was the default before there was another.
  const selection = { ...defaults.selection, policy: 'least-loaded' };
  assert.deepEqual(rest, { ...defaults, selection });
  assert.deepEqual(nodes, [
    {
      name: 'gpu-1',
      url: 'http://10.0.0.5:8000',
      engine: 'auto',
      headers: {},
      maxConcurrent: 16,
      apiKey: 'sk-1',
      models: { llama3: 'meta-llama/Llama-3-8B' },
    },
  ]);
});

test('a flag wins over a variable, a variable over the file, and each says where it came from', async (t) => {
  const { settings, origins } = await loadedFrom(t, {
    yaml: 'queue:\n  maxWaiters: 10\n  timeout: 10s\n  maxBytes: 10mb\n',
    env: { WEIR_QUEUE_TIMEOUT: '20s', WEIR_QUEUE_MAX_BYTES: '20mb' },
    flags: { 'queue.maxBytes': '30mb' },
  });
  assert.deepEqual(settings.queue, {
    maxWaiters: 10,
    timeoutMs: 20_000,
    maxBytes: 31_457_280,
    maxShare: 0.75,
    reserved: 0,
  });
  assert.equal(origins.get('queue.maxWaiters'), 'file:2');
  assert.equal(origins.get('queue.timeout'), 'env:WEIR_QUEUE_TIMEOUT');
  assert.equal(origins.get('queue.maxBytes'), 'flag');
  assert.equal(origins.get('queue.maxShare'), 'default');
});

test('a wrong value that a stronger source replaces does not matter', async (t) => {
  const settings = await settingsFrom(t, { yaml: 'queue: { timeout: 30 }', flags: { 'queue.timeout': '5s' } });
  assert.equal(settings.queue.timeoutMs, 5000);
});

test('an empty variable counts as unset', async (t) => {
  const settings = await settingsFrom(t, { env: { WEIR_QUEUE_MAX_WAITERS: '', WEIR_ADMIN_TOKEN: '', WEIR_NODES: '' } });
  assert.equal(settings.queue.maxWaiters, 1024);
  assert.equal(settings.admin.token, null);
});

test('the file is --config, else WEIR_CONFIG, else weir.yaml, else weir.yml', async (t) => {
  const files = {
    'a.yaml': 'queue: { maxWaiters: 1 }',
    'b.yaml': 'queue: { maxWaiters: 2 }',
    'weir.yaml': 'queue: { maxWaiters: 3 }',
    'weir.yml': 'queue: { maxWaiters: 4 }',
  };
  const { 'weir.yaml': _, ...withoutYaml } = files;
  const waiters = async (given: Parameters<typeof settingsFrom>[1]): Promise<number> =>
    (await settingsFrom(t, given)).queue.maxWaiters;
  assert.equal(await waiters({ files, configFile: 'a.yaml', env: { WEIR_CONFIG: 'b.yaml' } }), 1);
  assert.equal(await waiters({ files, env: { WEIR_CONFIG: 'b.yaml' } }), 2);
  assert.equal(await waiters({ files }), 3);
  assert.equal(await waiters({ files: withoutYaml }), 4);
});

test('JSON is read too, tabs included', async (t) => {
  const json = JSON.stringify({ queue: { maxWaiters: 5 }, nodes: [{ name: 'a', url: 'http://h:1' }] }, null, '\t');
  const settings = await settingsFrom(t, { files: { 'weir.json': json }, configFile: 'weir.json' });
  assert.equal(settings.queue.maxWaiters, 5);
  assert.equal(settings.nodes[0]?.name, 'a');
});

test('an empty file and empty sections mean the defaults', async (t) => {
  for (const yaml of ['', '# nothing yet\n', 'queue:\nnodes:\nauth:\n  keys:\n']) {
    assert.equal((await settingsFrom(t, { yaml })).queue.maxWaiters, 1024);
  }
});

test('relative paths start at the file, in flags at the working directory, and ~ is the home directory', async (t) => {
  const fromFile = await settingsFrom(t, { yaml: 'dataDir: state' });
  assert.match(fromFile.dataDir, /^\/.*weir-test-\w+\/state$/);
  const fromFlag = await settingsFrom(t, { flags: { dataDir: '~/elsewhere' } });
  assert.equal(fromFlag.dataDir, '/home/tester/elsewhere');
});

test('a missing or unreadable file is a problem and not the defaults', async (t) => {
  assert.deepEqual(await problemsOf(t, { configFile: 'nowhere.yaml' }), [
    'nowhere.yaml: there is no such file; check the path of --config',
  ]);
  assert.deepEqual(await problemsOf(t, { configFile: '.' }), ['.: is a directory; name the file in it']);
  assert.match((await problemsOf(t, { yaml: '- a\n- b\n' })).join('\n'), /^weir\.yaml: holds no settings/);
});

test('broken YAML is told with its line', async (t) => {
  const problems = await problemsOf(t, { yaml: 'listen: 127.0.0.1:1\nqueue: { maxWaiters: 1\nlog: x\n' });
  assert.match(problems[0] ?? '', /^weir\.yaml:3: not valid YAML: /);
  assert.match(
    (await problemsOf(t, { yaml: 'listen: a:1\nlisten: b:2\n' })).join(),
    /^weir\.yaml:2: not valid YAML: .*unique/,
  );
});

test('aliases are followed, and a file that grows without end through them is refused', async (t) => {
  const settings = await settingsFrom(t, { yaml: 'queue: { timeout: &t 7s }\ntimeouts: { connect: *t }' });
  assert.equal(settings.timeouts.connectMs, 7000);
  assert.match((await problemsOf(t, { yaml: 'queue: &q { timeout: *q }' })).join(), /nested too deep/);
  // Shallow, but 60 × 60 × 60 values.
  const bomb = [
    'a0: &a0 [x]',
    ...[1, 2, 3].map(
      (n) =>
        `a${n}: &a${n} [${Array(60)
          .fill(`*a${n - 1}`)
          .join()}]`,
    ),
  ];
  assert.match((await problemsOf(t, { yaml: bomb.join('\n') })).join(), /too large|too deep/);
});

test('a misspelt variable is an error, a foreign one a warning, and those of Kubernetes nothing', async (t) => {
  assert.deepEqual(await problemsOf(t, { env: { WEIR_QUEUE_MAXWAITERS: '5' } }), [
    'WEIR_QUEUE_MAXWAITERS (environment): unknown; did you mean WEIR_QUEUE_MAX_WAITERS?',
  ]);
  const env = { WEIR_FROM_SOMEBODY_ELSE: '1', WEIR_PORT: 'tcp://10.0.0.1:9347', WEIR_SERVICE_HOST: '10.0.0.1' };
  const { warnings } = await loadedFrom(t, { env });
  assert.deepEqual(warnings, ['the variable WEIR_FROM_SOMEBODY_ELSE means nothing to weir and is ignored']);
});

test('a secret never appears in the listing or in a problem', async (t) => {
  const { inForce } = await loadedFrom(t, {
    yaml: 'nodes: [{ name: a, url: "http://h:1", apiKey: canary-1, headers: { x: canary-2 } }]\nauth: { keys: [{ label: k, key: canary-3-canary-3 }] }',
    env: { WEIR_ADMIN_TOKEN: 'canary-4' },
  });
  assert.doesNotMatch(JSON.stringify(inForce), /canary/);
  const broken = await load(t, {
    env: { WEIR_ADMIN_TOKEN: 'canary 5' },
    nodes: ['http://u:canary6@h:1', 'u:canary7@h:1', 'ftp://canary8@h'],
  });
  assert.ok('problems' in broken);
  assert.equal(broken.problems.length, 4);
  assert.doesNotMatch(broken.problems.join('\n'), /canary/);
});
