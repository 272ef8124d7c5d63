import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { commandsOf, weirCommand } from '../support/weir-command.ts';

test('a node is added, listed, drained, resumed, probed and removed', async () => {
  await using first = await scriptedNode();
  await using second = await scriptedNode({ models: ['qwen'] });
  await using router = await startRouter({ nodes: [nodeSettings('gpu-1', first.url)] });
  await router.settled;
  const weir = commandsOf(router.adminUrl);

  const added = await weir('nodes', 'add', second.url, '--name', 'gpu-2', '--max-concurrent', '3', '--tag', 'fast');
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /^NAME +STATE .*\ngpu-2 +ready +openai +0\/3 +1 +api +http:/);

  const listed = Object((await weir('nodes', 'list', '--json')).json());
  const seen = listed.data.map(({ name, state, tags }: { name: string; state: string; tags: string[] }) => {
    return [name, state, tags];
  });
  assert.deepEqual(seen, [
    ['gpu-1', 'ready', []],
    ['gpu-2', 'ready', ['fast']],
  ]);

  assert.match((await weir('nodes', 'drain', 'gpu-2')).stdout, /gpu-2 gets no new requests; 0 still run/);
  assert.match((await weir('nodes', 'list')).stdout, /^gpu-2 +ready, draining +openai/m);
  assert.match((await weir('nodes', 'resume', 'gpu-2')).stdout, /gpu-2 gets requests again/);
  assert.equal((await weir('nodes', 'probe', 'gpu-2')).code, 0);

  assert.equal((await weir('nodes', 'remove', 'gpu-2')).code, 0);
  const gone = await weir('nodes', 'show', 'gpu-2');
  assert.deepEqual([gone.code, gone.stdout], [5, '']);
  assert.match(gone.stderr, /There is no node gpu-2/);
});

test('what the router refuses is said in its words, and a node that is away fails a probe', async () => {
  await using node = await scriptedNode();
  await using router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  const weir = commandsOf(router.adminUrl);
  const configured = await weir('nodes', 'remove', 'gpu-1');
  assert.equal(configured.code, 1);
  assert.match(configured.stderr, /comes from the configuration/);
  const nonsense = await weir('nodes', 'add', 'nonsense');
  assert.equal(nonsense.code, 2);
  assert.match(nonsense.stderr, /url: is not a URL/);
  const gone = await scriptedNode();
  await gone.close();
  const added = await weir('nodes', 'add', gone.url, '--name', 'gone');
  assert.equal(added.code, 0);
  assert.match(added.stdout, /gone +offline[^]*gone: .*ECONNREFUSED/);
  const probed = await weir('nodes', 'probe', 'gone');
  assert.equal(probed.code, 1);
  assert.match(probed.stderr, /gone is offline/);
});

test("a node's key is taken from a variable and never from the command line", async () => {
  await using node = await scriptedNode();
  await using router = await startRouter();
  const env = { WEIR_ADMIN_TOKEN: 'test-token', GPU_KEY: 'hush' };
  const args = ['nodes', 'add', node.url, '--name', 'n', '--admin', router.adminUrl, '--json', '--api-key-from'];
  const missing = await weirCommand([...args, 'NO_KEY'], { env });
  assert.deepEqual([missing.code, missing.stdout], [2, '']);
  assert.match(missing.stderr, /NO_KEY: there is no such variable/);
  const added = await weirCommand([...args, 'GPU_KEY'], { env });
  assert.equal(Object(added.json()).apiKey, '***');
  assert.equal(node.requests.at(-1)?.headers.authorization, 'Bearer hush');
});

test('what an engine says cannot write to the terminal', async () => {
  await using node = await scriptedNode({ models: ['evil\u001b[2Jmodel'] });
  await using router = await startRouter({ nodes: [nodeSettings('gpu-1', node.url)] });
  await router.settled;
  const shown = await commandsOf(router.adminUrl)('nodes', 'show', 'gpu-1');
  assert.match(shown.stdout, /models: evil \[2Jmodel/);
  assert.ok(!shown.stdout.includes('\u001b'));
});
