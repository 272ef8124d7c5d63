import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { at, listAt } from '../support/json-path.ts';
import { deltaEvent, finishEvent, type Reply } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { startWeir, type Weir } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

async function settingsOf(weir: Weir): Promise<unknown> {
  return (await weir.admin('/api/settings')).json();
}

function auth(key: string): object {
  return { clients: 'required', keys: [{ label: 'team', key }] };
}

async function nodesOf(weir: Weir): Promise<readonly unknown[]> {
  return listAt(await (await weir.admin('/api/nodes')).json(), 'data');
}

function chat(weir: Weir, model: string, stream = false): Promise<Response> {
  return fetch(`${weir.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] }),
  });
}

/** Resolves when a change was told that says so. */
async function changed(weir: Weir, what: string, isIt: (change: unknown) => boolean): Promise<unknown> {
  let last: unknown;
  return until(
    async () => {
      last = at(await settingsOf(weir), 'lastChange');
      return last !== null && isIt(last) ? last : null;
    },
    { what: () => `${what}; told: ${JSON.stringify(last)}\n${weir.output()}`, withinMs: 15_000 },
  );
}

test('nodes come, go and change while a stream runs on one of them', async () => {
  let stream: Reply | undefined;
  await using old = await scriptedNode({
    models: ['one'],
    answer: (_request, reply) => {
      stream = reply;
      reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.response.write(deltaEvent('before'));
    },
  });
  await using stays = await scriptedNode({ models: ['two'] });
  await using comes = await scriptedNode({ models: ['three'] });
  const goes = { name: 'goes', url: old.url };
  const weir = await startWeir({ nodes: [goes, { name: 'stays', url: stays.url }] });
  const before = (await nodesOf(weir)).find((node) => at(node, 'name') === 'stays');
  const running = await chat(weir, 'one', true);
  const reader = running.body?.getReader();
  assert.match(new TextDecoder().decode((await reader?.read())?.value), /before/);
  assert.equal((await chat(weir, 'two')).status, 200);
  const openedBefore = stays.sockets().opened;

  weir.configure({
    log: { level: 'debug' },
    queue: { maxWaiters: 50 },
    nodes: [
      { name: 'stays', url: stays.url, maxConcurrent: 3 },
      { name: 'comes', url: comes.url },
    ],
  });
  await changed(weir, 'the changed file to be taken', (change) => at(change, 'by') === 'file');
  assert.equal(at(await settingsOf(weir), 'queue', 'maxWaiters'), 50);
  await until(async () => (await chat(weir, 'three')).status === 200, { what: 'the new node to serve' });
  assert.equal((await chat(weir, 'one')).status, 404);
  const nodes = await nodesOf(weir);
  assert.deepEqual(nodes.map((node) => String(at(node, 'name'))).toSorted(), ['comes', 'stays']);
  const after = nodes.find((node) => at(node, 'name') === 'stays');
  assert.deepEqual([at(after, 'id'), at(after, 'slots')], [at(before, 'id'), 3]);
  assert.equal((await chat(weir, 'two')).status, 200);
  // Its connections were kept: only probes may have opened others.
  assert.ok(stays.sockets().opened <= openedBefore + 1, `${openedBefore}, then ${stays.sockets().opened}`);

  stream?.response.end(`${deltaEvent(' after')}${finishEvent()}data: [DONE]\n\n`);
  let rest = '';
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
    rest += new TextDecoder().decode(part.value);
  assert.match(rest, / after[^]*\[DONE\]/);
  const audit = await (await weir.admin('/api/audit?action=settings.reload')).json();
  assert.deepEqual(at(listAt(audit, 'data')[0], 'detail', 'by'), 'file');
  assert.equal(await weir.stop(), 0);
});

test('a bad file changes nothing and is told, and the next good one is taken', async () => {
  await using node = await scriptedNode();
  const nodes = [{ name: 'n', url: node.url }];
  const weir = await startWeir({ nodes });
  writeFileSync(weir.file, 'queue: { maxWaitres: 5 }\nnodes: []\n');
  const refused = await changed(weir, 'the bad file to be told', (change) => listAt(change, 'problems').length > 0);
  assert.match(String(listAt(refused, 'problems')[0]), /maxWaitres.*did you mean maxWaiters/);
  await until(() => /"level":"error".*maxWaitres.*the settings stay as they were/.test(weir.output()), {
    what: 'the line of the log',
  });
  assert.equal(at(await settingsOf(weir), 'queue', 'maxWaiters'), 1024);
  assert.equal((await chat(weir, 'llama3')).status, 200);

  weir.configure({ nodes, queue: { maxWaiters: 7 } });
  await changed(weir, 'the good file to be taken', (change) => listAt(change, 'problems').length === 0);
  assert.equal(at(await settingsOf(weir), 'queue', 'maxWaiters'), 7);
  assert.equal(await weir.stop(), 0);
});

test('SIGHUP reads the file anew, and what needs a restart waits for one', async () => {
  await using node = await scriptedNode();
  const nodes = [{ name: 'n', url: node.url }];
  const weir = await startWeir({ nodes });
  weir.kill('SIGHUP');
  const same = await changed(weir, 'SIGHUP to be told', (change) => at(change, 'by') === 'signal');
  assert.deepEqual(listAt(same, 'changed'), []);

  weir.configure({ nodes, threads: 2, limits: { body: '1kb' } });
  weir.kill('SIGHUP');
  await changed(weir, 'the file to be taken', (change) => listAt(change, 'changed').includes('limits.body'));
  const settings = await settingsOf(weir);
  assert.deepEqual(listAt(settings, 'waitsForRestart'), ['threads']);
  assert.deepEqual([at(settings, 'threads'), at(settings, 'limits', 'bodyBytes')], [1, 1024]);
  const threads = listAt(settings, 'sources').find((each) => at(each, 'path') === 'threads');
  assert.deepEqual([at(threads, 'value'), at(threads, 'afterRestart')], ['1', '2']);
  const body = listAt(settings, 'sources').find((each) => at(each, 'path') === 'limits.body');
  assert.match(String(at(body, 'source')), /^file:\d+$/);
  const tooLarge = await fetch(`${weir.url}/v1/chat/completions`, { method: 'POST', body: 'x'.repeat(2000) });
  assert.equal(tooLarge.status, 413);
  assert.equal(await weir.stop(), 0);
});

test(
  'a removed key is refused at once, and an added one is let in, on every thread',
  { skip: process.platform !== 'linux' },
  async () => {
    await using node = await scriptedNode();
    const nodes = [{ name: 'n', url: node.url }];
    const weir = await startWeir({ nodes, threads: 2, auth: auth('sk-before-1234567890') });
    const ask = async (key: string): Promise<readonly number[]> => {
      const headers = { authorization: `Bearer ${key}`, connection: 'close' };
      const asked = Array.from({ length: 12 }, () => fetch(`${weir.url}/v1/models`, { headers }));
      const answers = await Promise.all(asked);
      return [...new Set(answers.map(({ status }) => status))];
    };
    assert.deepEqual(await ask('sk-before-1234567890'), [200]);
    weir.configure({ nodes, threads: 2, auth: auth('sk-after-1234567890') });
    await changed(weir, 'the keys to be taken', (change) => listAt(change, 'changed').includes('auth.keys.team'));
    await until(async () => (await ask('sk-after-1234567890')).join() === '200', { what: 'the new key to be let in' });
    assert.deepEqual(await ask('sk-before-1234567890'), [401]);
    // What all threads go by.
    weir.configure({ nodes, threads: 2, auth: { clients: 'off' } });
    await changed(weir, 'the door to be opened', (change) => listAt(change, 'changed').includes('auth.clients'));
    await until(async () => (await ask('nobody')).join() === '200', { what: 'everybody to be let in' });
    assert.equal(await weir.stop(), 0);
  },
);
