import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';
import { commandsOf, weirCommand } from '../support/weir-command.ts';
import { weirTerminal } from '../support/weir-terminal.ts';

test('top redraws in place, outlasts a router that goes away, and gives the terminal back on q', async () => {
  await using node = await scriptedNode();
  const router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  await router.settled;
  const terminal = weirTerminal();
  const ended = terminal.run(['top'], router.adminUrl);
  await until(() => terminal.seen().includes('gpu-1'), { what: 'the first picture' });
  assert.ok(terminal.seen().startsWith('\u001b[?1049h\u001b[?25l\u001b[H'));
  await (await router.chat()).text();
  await until(async () => (await router.adminList('/api/requests')).length === 1, { what: 'the request in the books' });
  terminal.tick();
  await until(() => /requests [0-9.]*[1-9]/.test(terminal.seen()), { what: () => `a rate in ${terminal.seen()}` });
  await router.app.stop();
  terminal.tick();
  await until(() => /No router answers.*[^]*Trying again/.test(terminal.seen()), { what: 'the trouble told' });
  terminal.press('x');
  terminal.press('q');
  assert.equal(await ended, 0);
  assert.ok(terminal.seen().endsWith('\u001b[?25h\u001b[?1049l'));
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
