import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryDirectory } from '../../test/support/load-config.ts';
import { until } from '../../test/support/until.ts';
import type { Settings } from '../fleet/settings.ts';
import { ManualClock } from '../lib/clock.ts';
import type { AppHooks, StartApp } from './app.ts';
import { lockDataDir } from './data-dir.ts';
import { run, type Process } from './program.ts';

interface Terminal extends Process {
  readonly out: { stdout: string; stderr: string };
  readonly signals: EventEmitter;
}

function terminal(context: TestContext, startApp: StartApp = neverStarts, env: Record<string, string> = {}): Terminal {
  const cwd = temporaryDirectory(context);
  const out = { stdout: '', stderr: '' };
  return {
    out,
    startApp,
    version: '1.2.3',
    hasDemo: false,
    runDemo: () => Promise.resolve(0),
    signals: new EventEmitter(),
    now: () => 0,
    clock: new ManualClock(0, 0),
    terminal: noTerminal,
    stdout: (text) => void (out.stdout += text),
    stderr: (text) => void (out.stderr += text),
    exit: (code) => void (out.stderr += `exit ${code}`),
    env: { HOME: cwd, ...env },
    cwd,
  };
}

const noTerminal: Process['terminal'] = {
  isTty: false,
  isErrorTty: false,
  size: () => ({ columns: 80, rows: 24 }),
  onKey: () => () => undefined,
  sleep: () => Promise.resolve(),
};

const neverStarts: StartApp = () => Promise.reject(new Error('this test starts nothing'));

test('help names the commands with examples, and the version is printed alone', async (t) => {
  for (const argv of [['--help'], []]) {
    const host = terminal(t);
    assert.equal(await run(argv, host), 0);
    assert.match(host.out.stdout, /serve .*\n.*config [^]*Examples:\n {2}weir serve/);
    assert.equal(host.out.stderr, '');
  }
  const host = terminal(t);
  assert.equal(await run(['--version'], host), 0);
  assert.equal(host.out.stdout, '1.2.3\n');
});

test('help of serve lists a flag for every setting but secrets', async (t) => {
  const host = terminal(t);
  assert.equal(await run(['serve', '--help'], host), 0);
  for (const flag of [
    '--queue-max-waiters <count>',
    '--admin-listen <host:port>',
    '--node <[name=]url>',
    '--insecure',
  ]) {
    assert.ok(host.out.stdout.includes(flag), flag);
  }
  assert.doesNotMatch(host.out.stdout, /--admin-token/);
});

test('a wrong word on the command line names the nearest right one and exits with 2', async (t) => {
  const cases: readonly (readonly [argv: string[], expected: RegExp])[] = [
    [['serve', '--listn', 'x'], /unknown option '--listn'\n\(Did you mean --listen\?\)/],
    [['serv'], /unknown command 'serv'\n\(Did you mean serve\?\)/],
    [['serve', 'extra'], /too many arguments/],
    [['serve', '--listen'], /argument missing/],
    [['serve', '--admin-token', 'x'], /WEIR_ADMIN_TOKEN/],
    [['--node', 'http://a:1'], /weir serve --node http:\/\/a:1/],
  ];
  for (const [argv, expected] of cases) {
    const host = terminal(t);
    assert.equal(await run(argv, host), 2, argv.join(' '));
    assert.match(host.out.stderr, expected);
    assert.equal(host.out.stdout, '');
  }
});

test('config check prints every setting with its origin and masks secrets', async (t) => {
  const host = terminal(t, neverStarts, { WEIR_ADMIN_TOKEN: 'canary' });
  writeFileSync(join(host.cwd, 'my.yaml'), 'queue:\n  maxWaiters: 20\n');
  assert.equal(await run(['config', 'check', '--config', 'my.yaml', '--queue-timeout', '5s'], host), 0);
  assert.match(host.out.stdout, /^queue\.maxWaiters +20 +my\.yaml:2$/m);
  assert.match(host.out.stdout, /^queue\.timeout +5s +flag$/m);
  assert.match(host.out.stdout, /^admin\.token +\*\*\* +WEIR_ADMIN_TOKEN$/m);
  assert.match(host.out.stdout, /^limits\.body +32mb +default$/m);
});

test('config check of a broken file prints the problems and exits with 1', async (t) => {
  const host = terminal(t);
  writeFileSync(join(host.cwd, 'my.yaml'), 'queue: { maxWaiter: 20 }\n');
  assert.equal(await run(['config', 'check', '--config', 'my.yaml'], host), 1);
  assert.equal(
    host.out.stderr,
    'The configuration has a problem:\n  queue.maxWaiter (my.yaml:1): unknown; did you mean maxWaiters?\n',
  );
});

test('serve refuses a broken configuration with 2 before it touches anything', async (t) => {
  const host = terminal(t);
  assert.equal(await run(['serve', '--queue-timeout', '30'], host), 2);
  assert.match(host.out.stderr, /queue\.timeout \(--queue-timeout\): "30" has no unit/);
  assert.throws(() => statSync(join(host.cwd, '.weir')), { code: 'ENOENT' });
});

test('serve hands all flags over, prints the addresses, and a signal drains it before the lock is freed', async (t) => {
  const started = Promise.withResolvers<{ settings: Settings; hooks: AppHooks }>();
  const stopped = Promise.withResolvers<void>();
  let isStopping = false;
  const host = terminal(t, (settings, hooks) => {
    started.resolve({ settings, hooks });
    return Promise.resolve({
      stop: () => {
        isStopping = true;
        return stopped.promise;
      },
    });
  });
  const argv = [
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--node',
    'http://a:1',
    '-n',
    'b=http://b:1',
    '--discovery-enabled',
    'false',
    '--insecure',
    '--auth-trusted-proxies',
    '10.0.0.0/8,::1',
  ];
  const ended = run(argv, host);
  const { settings, hooks } = await started.promise;
  assert.deepEqual(
    settings.nodes.map(({ name }) => name),
    ['a-1', 'b'],
  );
  assert.deepEqual([settings.discovery.enabled, settings.insecure, settings.listen.port], [false, true, 0]);
  assert.deepEqual(settings.auth.trustedProxies, ['10.0.0.0/8', '::1']);

  hooks.listening({
    clientUrl: 'http://127.0.0.1:1',
    adminUrl: 'http://127.0.0.1:2',
    agentsUrl: null,
    adminToken: null,
  });
  hooks.settled([]);
  assert.match(host.out.stdout, /OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:1\/v1/);
  assert.match(host.out.stdout, /http:\/\/127\.0\.0\.1:2\/api\/nodes/);
  assert.doesNotMatch(host.out.stdout, /npm run demo/);

  host.signals.emit('SIGTERM', 'SIGTERM');
  await until(() => isStopping, { what: 'the drain to begin', withinMs: 2000 });
  assert.throws(() => lockDataDir(settings.dataDir), /another weir/);
  stopped.resolve();
  assert.equal(await ended, 0);
  lockDataDir(settings.dataDir).release();
  // The echo of the same stop, after everything is over.
  host.signals.emit('SIGTERM', 'SIGTERM');
  assert.doesNotMatch(host.out.stderr, /exit/);
  assert.ok(host.signals.listenerCount('SIGTERM') > 0);
});

test('serve says in one sentence why it could not start, exits with 1 and frees the lock', async (t) => {
  const host = terminal(t, () => Promise.reject(new Error('127.0.0.1:9347 is in use')));
  assert.equal(await run(['serve'], host), 1);
  assert.equal(host.out.stderr, 'weir could not start: 127.0.0.1:9347 is in use\n');
  lockDataDir(join(host.cwd, '.weir')).release();
});

test('serve ends with 1 when the router cannot stop', async (t) => {
  const started = Promise.withResolvers<void>();
  const host = terminal(t, () => {
    started.resolve();
    return Promise.resolve({ stop: () => Promise.reject(new Error('the disk is gone')) });
  });
  const ended = run(['serve'], host);
  await started.promise;
  host.signals.emit('SIGTERM', 'SIGTERM');
  assert.equal(await ended, 1);
  assert.match(host.out.stderr, /weir stopped: the disk is gone/);
});

test('with log level silent serve prints nothing but failures', async (t) => {
  const host = terminal(t, (_, hooks) => {
    hooks.listening({ clientUrl: 'http://a', adminUrl: 'http://b', agentsUrl: null, adminToken: 'canary' });
    hooks.settled([]);
    return Promise.reject(new Error('over'));
  });
  assert.equal(await run(['serve', '--log-level', 'silent'], host), 1);
  assert.deepEqual(host.out, { stdout: '', stderr: 'weir could not start: over\n' });
});

test('demo hands its options on and ends with the exit code of the demonstration', async (t) => {
  const asked: (readonly string[])[] = [];
  const runDemo: Process['runDemo'] = (args) => {
    asked.push(args);
    return Promise.resolve(7);
  };
  const host = { ...terminal(t), runDemo };
  assert.equal(await run(['demo', '--seconds', '5', '--simulated'], host), 7);
  assert.equal(await run(['demo', '--seconds', 'few'], host), 2);
  assert.deepEqual(asked, [['--seconds', '5', '--simulated']]);
});
