import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';
import { commandsOf } from '../support/weir-command.ts';

test('a key is made, alone on standard output, works, is listed without its secret, and is revoked by its label', async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({
    nodes: [nodeSettings('gpu-1', node.url)],
    auth: { clients: 'required' },
  });
  await router.settled;
  const weir = commandsOf(router.adminUrl);
  const made = await weir('keys', 'add', 'team-a', '--model', 'llama3', '--expires', '30d', '--per-minute', '60');
  assert.match(made.stdout, /^weir_[\w-]{43}\n$/);
  assert.match(made.stderr, /team-a, shown only now/);
  const authorization = `Bearer ${made.stdout.trim()}`;
  const headers = { 'content-type': 'application/json', authorization };
  assert.equal((await router.chat({}, { headers })).status, 200);
  const listed = await weir('keys', 'list');
  assert.match(listed.stdout, /^team-a +llama3 +1 +- +60 +\d{4}-/m);
  assert.ok(!listed.stdout.includes(made.stdout.trim()));

  assert.equal((await weir('keys', 'revoke', 'team-a')).code, 0);
  assert.equal((await router.chat({}, { headers })).status, 401);
  const again = await weir('keys', 'revoke', 'team-a');
  assert.equal(again.code, 5);
  assert.match(again.stderr, /no key team-a/);
});

test('what a key may do beyond asking is said when it is made and listed', async () => {
  await using router = await startRouter();
  const weir = commandsOf(router.adminUrl);
  assert.equal((await weir('keys', 'add', 'ops', '--may-manage', '--no-resume')).code, 0);
  assert.equal((await weir('keys', 'add', 'plain')).code, 0);
  const listed = Object((await weir('keys', 'list', '--json')).json());
  assert.deepEqual(
    listed.data.map(({ label, mayManage, resume }: Record<string, unknown>) => [label, mayManage, resume]),
    [
      ['ops', true, false],
      ['plain', false, true],
    ],
  );
  const { stdout } = await weir('keys', 'list');
  assert.match(stdout, /^ops .* never +yes +no +api/m);
  assert.match(stdout, /^plain .* never +no +yes +api/m);
});

test('a label that two keys have is asked back about', async () => {
  await using router = await startRouter();
  const weir = commandsOf(router.adminUrl);
  await weir('keys', 'add', 'twin');
  const second = Object((await weir('keys', 'add', 'twin', '--json')).json());
  const unclear = await weir('keys', 'revoke', 'twin');
  assert.equal(unclear.code, 2);
  assert.match(unclear.stderr, /2 keys are called twin/);
  assert.equal((await weir('keys', 'revoke', second.id)).code, 0);
  assert.equal((await weir('keys', 'revoke', 'twin')).code, 0);
});

test('requests are listed by what happened to them, and one is shown with its attempts', async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  await router.settled;
  const served = await router.chat();
  await served.text();
  await (await router.chat({ model: 'nobody-has-it' })).text();
  const id = served.headers.get('x-request-id') ?? '';
  const weir = commandsOf(router.adminUrl);
  await until(async () => (await router.adminList('/api/requests')).length === 2, { what: 'both in the history' });

  const refused = await weir('requests', 'list', '--outcome', 'rejected', '--since', '1h');
  assert.match(refused.stdout, /nobody-has-it +rejected model_not_found +404/);
  assert.ok(!refused.stdout.includes(id));
  const page = Object((await weir('requests', 'list', '--limit', '1', '--json')).json());
  assert.equal(page.data.length, 1);
  const next = Object((await weir('requests', 'list', '--cursor', page.nextCursor, '--json')).json());
  assert.deepEqual([next.data.length, next.data[0].id], [1, id]);

  const shown = await weir('requests', 'show', id);
  assert.match(shown.stdout, /outcome +served\n[^]*\nNODE +AFTER +TOOK +STATUS +END\ngpu-1 +\S+ +\S+ +200 +complete\n/);
  assert.equal((await weir('requests', 'show', 'nonsense')).code, 5);
  assert.equal((await weir('requests', 'list', '--limit', '900')).code, 2);
  const nonsense = await weir('requests', 'list', '--since', 'yesterday');
  assert.equal(nonsense.code, 2);
  assert.match(nonsense.stderr, /--since yesterday: write a duration/);
});
