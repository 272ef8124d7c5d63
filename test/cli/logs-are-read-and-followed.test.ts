import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';
import { commandsOf } from '../support/weir-command.ts';
import { weirTerminal } from '../support/weir-terminal.ts';

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
  const terminal = weirTerminal(false);
  const ended = terminal.run(['logs', '--follow', '--tail', '1'], router.adminUrl);
  await until(() => terminal.seen().includes('\n'), { what: 'the last line' });
  await (await router.chat()).text();
  await until(() => /request .*model=llama3/.test(terminal.seen()), {
    what: () => `the request in ${terminal.seen()}`,
  });
  terminal.interrupt();
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
