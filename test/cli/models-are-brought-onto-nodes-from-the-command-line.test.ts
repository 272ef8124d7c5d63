import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { type OllamaPull, scriptedOllama } from '../support/scripted-ollama.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';
import { commandsOf } from '../support/weir-command.ts';
import { weirTerminal } from '../support/weir-terminal.ts';

const hits: Scripted = (_request, reply) =>
  reply.json(200, [{ id: 'org/q-GGUF', downloads: 12_345, tags: ['gguf'], lastModified: '2026-02-03T00:00:00.000Z' }]);

function refuse(pull: OllamaPull): void {
  pull.say({ error: 'pull model manifest: file does not exist' });
  pull.end();
}

test('a model is pulled with its progress told, listed, loaded, unloaded, and the tasks are kept', async () => {
  await using ollama = await scriptedOllama({ disk: { old: 2048 }, onPull: (pull) => pull.progress(300, 1000) });
  await using router = await startRouter({ nodes: [nodeSettings('a', ollama.url)] });
  await router.settled;
  const weir = commandsOf(router.adminUrl);
  const pulling = weir('models', 'pull', 'llama3.2:3b', '--node', 'a');
  const pull = await until(() => ollama.pulls[0], { what: 'the pull' });
  const open = await until(
    async () => {
      const listed = await weir('tasks', 'list', '--state', 'open');
      return / 30% /.test(listed.stdout) ? listed : null;
    },
    { what: 'the task at 30 %' },
  );
  assert.match(open.stdout, /^TASK +MODEL .*\npull +llama3\.2:3b +a +running +30% +- +\S+\n/);
  pull.succeed();
  const pulled = await pulling;
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.match(pulled.stderr, /llama3\.2:3b on a: running\nllama3\.2:3b on a: done\n$/);
  assert.match(pulled.stdout, /^TASK [^]*\npull +llama3\.2:3b +a +done +100% +\S+ +\S+\n$/);

  const listed = await weir('models', 'list');
  assert.match(listed.stdout, /^llama3\.2:3b +yes +1000 B/m);
  assert.match(listed.stdout, /^old +yes +2\.0 KB/m);
  assert.equal((await weir('models', 'load', 'old', '--node', 'a', '--pin')).code, 0);
  assert.equal(ollama.memory.get('old'), -1);
  const unloaded = await weir('models', 'unload', 'old', '--node', 'a', '--json');
  assert.equal(Object(unloaded.json()).state, 'done');
  assert.equal(ollama.memory.has('old'), false);

  const tasks = Object((await weir('tasks', 'list', '--json')).json()).data;
  assert.deepEqual(
    tasks.map(({ kind, state }: { kind: string; state: string }) => `${kind} ${state}`),
    ['unload done', 'load done', 'pull done'],
  );
  assert.match((await weir('tasks', 'show', tasks[2].id)).stdout, /^state +done\n[^]*attempts +1\n/m);
  assert.equal((await weir('tasks', 'cancel', tasks[2].id)).code, 1);
  assert.equal((await weir('tasks', 'show', 'nobody')).code, 5);
});

test('a distribution says whom it leaves out, waits for all, and fails if one is not done', async () => {
  await using first = await scriptedOllama();
  await using second = await scriptedOllama({ onPull: refuse });
  await using other = await scriptedNode();
  const nodes = [
    nodeSettings('a', first.url, { tags: ['fast'] }),
    nodeSettings('b', second.url),
    nodeSettings('c', other.url),
  ];
  await using router = await startRouter({ nodes });
  await router.settled;
  const weir = commandsOf(router.adminUrl);
  const nobody = await weir('models', 'distribute', 'm');
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /Say onto which nodes/);
  const fast = await weir('models', 'distribute', 'm', '--tag', 'fast', '--json');
  assert.equal(fast.code, 0, fast.stderr);
  const { data, skipped } = Object(fast.json());
  assert.deepEqual([data.length, data[0].state, skipped], [1, 'done', []]);
  const all = await weir('models', 'distribute', 'n', '--all');
  assert.equal(all.code, 1);
  assert.match(all.stderr, /not onto c: .*\n/);
  assert.match(all.stderr, /1 of 2 could not be done/);
  assert.match(all.stdout, /pull +n +b +failed[^]*n on b: .*file does not exist/);
});

test('what an engine cannot do is said at once, and --no-wait does not wait', async () => {
  await using other = await scriptedNode();
  await using ollama = await scriptedOllama({ onPull: () => undefined });
  await using router = await startRouter({ nodes: [nodeSettings('a', ollama.url), nodeSettings('c', other.url)] });
  await router.settled;
  const weir = commandsOf(router.adminUrl);
  const cannot = await weir('models', 'pull', 'm', '--node', 'c');
  assert.deepEqual([cannot.code, cannot.stdout], [1, '']);
  assert.match(cannot.stderr, /c /);
  const begun = await weir('models', 'pull', 'm', '--node', 'a', '--no-wait', '--json');
  assert.equal(begun.code, 0);
  const { id } = Object(begun.json());
  const cancelled = await weir('tasks', 'cancel', id, '--json');
  assert.equal(Object(cancelled.json()).state, 'cancelled');
  const waited = await weir('tasks', 'wait', id);
  assert.equal(waited.code, 1);
  assert.match(waited.stdout, /cancelled/);
});

test('on a terminal the progress is drawn in place, and Ctrl-C stops the waiting, not the pull', async () => {
  await using ollama = await scriptedOllama({ onPull: (pull) => pull.progress(300, 1000) });
  await using router = await startRouter({ nodes: [nodeSettings('a', ollama.url)] });
  await router.settled;
  const terminal = weirTerminal();
  const ended = terminal.run(['models', 'pull', 'm', '--node', 'a'], router.adminUrl);
  await until(
    () => {
      terminal.tick();
      return terminal.seen().includes('30% 300 B of 1000 B');
    },
    { what: () => `30 % in ${terminal.seen()}` },
  );
  assert.ok(terminal.seen().includes('\r\u001b[Km on a  [#######-----------------]  30%'), terminal.seen());
  terminal.interrupt();
  assert.equal(await ended, 130);
  assert.match(terminal.seen(), /the router goes on\. To stop it too:\n {2}weir tasks cancel \S+\n$/);
  const [task] = await router.adminList('/api/tasks');
  assert.equal(Object(task).state, 'running');
});

test('the model hub is searched, and a hub that is away is said', async () => {
  const hub = await scriptedNode({ paths: { '/api/models': hits } });
  await using router = await startRouter({ catalogue: { url: hub.url } });
  const weir = commandsOf(router.adminUrl);
  const found = await weir('models', 'search', 'q', 'coder', '--format', 'gguf', '--limit', '5');
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout, /^MODEL +DOWNLOADS .*\norg\/q-GGUF +12\.3k +- +2026-02-03 +hf\.co\/org\/q-GGUF\n$/);
  assert.match(hub.requests.at(-1)?.path ?? '', /search=q[+ %20]+coder/);
  await hub.close();
  const away = await weir('models', 'search', 'something else');
  assert.deepEqual([away.code, away.stdout], [1, '']);
  assert.match(away.stderr, /hub/);
});
