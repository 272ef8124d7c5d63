import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { run } from '../../src/cli/program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';
import { commandsOf } from '../support/weir-command.ts';

test("the router's log is printed a line each, by level, and as JSON lines", async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  await router.settled;
  const weir = commandsOf(router.adminUrl);
  const people = await weir('logs', '--tail', '5');
  assert.match(people.stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info {2}node state .*node=gpu-1 state=ready/m);
  assert.equal((await weir('logs', '--level', 'error')).stdout, '');
  const [first = ''] = (await weir('logs', '--json')).stdout.split('\n');
  assert.equal(Object(JSON.parse(first)).level, 'info');
  assert.equal((await weir('logs', '--tail', '0')).code, 2);
});

test('the log is followed until Ctrl-C', async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  await router.settled;
  const signals = new EventEmitter();
  let seen = '';
  const write = (text: string): void => void (seen += text);
  const cwd = temporaryDirectory();
  const ended = run(['logs', '--follow', '--tail', '1', '--admin', router.adminUrl], {
    startApp: () => Promise.reject(new Error('this test starts nothing')),
    version: '1.2.3',
    hasDemo: false,
    runDemo: () => Promise.resolve(0),
    signals,
    now: () => 0,
    clock: systemClock,
    stdout: write,
    stderr: write,
    exit: () => undefined,
    env: { HOME: cwd, WEIR_ADMIN_TOKEN: 'test-token' },
    cwd,
    terminal: {
      isTty: false,
      isErrorTty: false,
      size: () => ({ columns: 80, rows: 24 }),
      onKey: () => () => undefined,
      sleep: () => Promise.resolve(),
    },
  });
  await until(() => seen.includes('\n'), { what: 'the last line' });
  await (await router.chat()).text();
  await until(() => /request .*model=llama3/.test(seen), { what: () => `the request in ${seen}` });
  signals.emit('SIGINT', 'SIGINT');
  assert.equal(await ended, 0);
});

test("a node's log is printed where it offers one, and the way to one is told where not", async () => {
  await using node = await scriptedNode({
    paths: { '/log': (_request, { response }) => void response.end('one\ntwo\nthree\u001b[2J\n') },
  });
  const nodes = [nodeSettings('a', node.url, { logsUrl: `${node.url}/log` }), nodeSettings('b', node.url)];
  await using router = await startRouter({ nodes });
  const weir = commandsOf(router.adminUrl);
  assert.equal((await weir('nodes', 'logs', 'a', '--tail', '2')).stdout, 'two\nthree [2J\n');
  const none = await weir('nodes', 'logs', 'b');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /logsUrl/);
});
