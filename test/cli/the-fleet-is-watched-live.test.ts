import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { run, type Process } from '../../src/cli/program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';
import { commandsOf, weirCommand } from '../support/weir-command.ts';

interface Screen extends Process {
  /** All that was written to it. */
  readonly seen: { text: string };
  press(key: string): void;
  /** Lets the next interval pass. */
  tick(): void;
}

/** A terminal of 80 by 24 whose time passes when the test says so. */
function screen(): Screen {
  const seen = { text: '' };
  const events = new EventEmitter();
  const cwd = temporaryDirectory();
  const write = (text: string): void => void (seen.text += text);
  return {
    seen,
    press: (key) => events.emit('key', key),
    tick: () => events.emit('tick'),
    startApp: () => Promise.reject(new Error('this test starts nothing')),
    version: '1.2.3',
    hasDemo: false,
    runDemo: () => Promise.resolve(0),
    signals: new EventEmitter(),
    now: () => 0,
    clock: systemClock,
    stdout: write,
    stderr: write,
    exit: () => undefined,
    env: { HOME: cwd, WEIR_ADMIN_TOKEN: 'test-token' },
    cwd,
    terminal: {
      isTty: true,
      isErrorTty: true,
      size: () => ({ columns: 80, rows: 24 }),
      onKey: (listener) => {
        events.on('key', listener);
        return () => void events.off('key', listener);
      },
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          events.once('tick', () => resolve());
          signal?.addEventListener('abort', () => resolve());
        }),
    },
  };
}

test('top redraws in place, outlasts a router that goes away, and gives the terminal back on q', async () => {
  await using node = await scriptedNode();
  const router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  await router.settled;
  const host = screen();
  const ended = run(['top', '--admin', router.adminUrl], host);
  await until(() => host.seen.text.includes('gpu-1'), { what: 'the first picture' });
  assert.ok(host.seen.text.startsWith('\u001b[?1049h\u001b[?25l\u001b[H'));
  await (await router.chat()).text();
  await until(async () => (await router.adminList('/api/requests')).length === 1, { what: 'the request in the books' });
  host.tick();
  await until(() => /requests [0-9.]*[1-9]/.test(host.seen.text), { what: () => `a rate in ${host.seen.text}` });
  await router.app.stop();
  host.tick();
  await until(() => /No router answers.*[^]*Trying again/.test(host.seen.text), { what: 'the trouble told' });
  host.press('x');
  host.press('q');
  assert.equal(await ended, 0);
  assert.ok(host.seen.text.endsWith('\u001b[?25h\u001b[?1049l'));
});

test('top --once prints one picture with rates and ends, for people and for programs', async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  await router.settled;
  const weir = commandsOf(router.adminUrl);
  const people = await weir('top', '--once', '--interval', '100ms');
  assert.match(people.stdout, /^weir http:.* 1 node: 1 ready\nrequests 0\/s[^]*\ngpu-1 +ready +openai/);
  assert.ok(!people.stdout.includes('\u001b'));
  const program = await weir('top', '--once', '--json', '--interval', '100ms');
  const line = Object(program.json());
  assert.deepEqual([line.requestsPerSecond, line.stats.nodes[0].name], [0, 'gpu-1']);
  assert.equal(program.stdout.trimEnd().split('\n').length, 1);
});

test('top without a router ends with exit code 3, and a wrong interval with 2', async () => {
  const gone = await scriptedNode();
  await gone.close();
  assert.equal((await weirCommand(['top', '--admin', gone.url, '--token', 'x'])).code, 3);
  const wrong = await weirCommand(['top', '--interval', '1ms']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /at least 100ms/);
});
