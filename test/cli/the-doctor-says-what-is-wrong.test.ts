import assert from 'node:assert/strict';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Scripted } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { temporaryDirectory } from '../support/settings.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { commandsOf, type Ended, weirCommand } from '../support/weir-command.ts';

/** A llama.cpp server that takes one request at a time. */
const oneAtATime: Readonly<Record<string, Scripted>> = {
  '/props': (_request, reply) => reply.json(200, { total_slots: 1 }),
  '/health': (_request, reply) => reply.json(200, { status: 'ok' }),
};

function findings(ended: Ended): string[] {
  const { data } = Object(ended.json());
  return data.map(({ check, verdict }: { check: string; verdict: string }) => `${verdict} ${check}`);
}

test('before a first start: a taken port, a node that is away and a wrong setting are problems, with what to do', async () => {
  await using taken = await scriptedNode();
  const gone = await scriptedNode();
  await gone.close();
  const file = join(temporaryDirectory(), 'weir.yaml');
  const settings = { listen: `127.0.0.1:${taken.port}`, nodes: [{ name: 'gone', url: gone.url }] };
  writeFileSync(file, JSON.stringify({ ...settings, admin: { listen: `127.0.0.1:${gone.port}` } }));
  const ended = await weirCommand(['doctor', '--config', file, '--json']);
  assert.equal(ended.code, 1);
  const found = findings(ended);
  for (const expected of [
    'ok configuration',
    'ok data directory',
    'problem port of listen',
    'ok port of admin.listen',
    'ok proxy variables',
    'warning router',
    'problem node gone',
  ]) {
    assert.ok(found.includes(expected), `${expected} is not in ${found.join(', ')}`);
  }
  const people = await weirCommand(['doctor', '--config', file]);
  assert.match(
    people.stdout,
    /problem +port of listen +127.* taken by another program\n +→ Find it with[^]*2 problems, 1 warning\.\n$/,
  );

  writeFileSync(file, '{"lisen": 1}');
  const wrong = await weirCommand(['doctor', '--config', file]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /problem +configuration .*did you mean listen/);
});

test('beside a router: its nodes are judged, and one at a time is pointed out', async () => {
  await using node = await scriptedNode({ paths: oneAtATime });
  await using locked = await scriptedNode({ paths: { '/v1/models': (_, reply) => reply.json(401, {}) } });
  const llama = nodeSettings('small', node.url, { engine: 'llamacpp' });
  await using router = await startRouter({ nodes: [llama, nodeSettings('locked', locked.url)] });
  await router.settled;
  const weir = commandsOf(router.adminUrl);
  const ended = await weir('doctor', '--json');
  assert.equal(ended.code, 1);
  assert.deepEqual(
    findings(ended).filter((each) => /router|node/.test(each)),
    ['ok router', 'ok node small', 'warning node small', 'problem node locked'],
  );
  await weir('nodes', 'drain', 'small');
  assert.match((await weir('doctor')).stdout, /warning +node small +is drained[^]*weir nodes resume small/);
});

test('a wrong token is told as that, and a router without nodes as useless', async () => {
  await using router = await startRouter();
  const wrong = await weirCommand(['doctor', '--admin', router.adminUrl, '--token', 'wrong', '--json']);
  assert.deepEqual([wrong.code, findings(wrong).includes('problem admin token')], [1, true]);
  const empty = await commandsOf(router.adminUrl)('doctor', '--json');
  assert.ok(findings(empty).includes('problem nodes'));
});

test('a proxy in front that collects streams is found out', async () => {
  const frames = 'data: {"choices":[]}\n\n';
  const server = (isCollecting: boolean) =>
    scriptedNode(async (_request, { response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      for (let piece = 0; piece < 8; piece += 1) {
        if (!isCollecting) response.write(frames);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      response.end(isCollecting ? frames.repeat(8) : '');
    });
  await using router = await startRouter();
  await using collecting = await server(true);
  await using passing = await server(false);
  const weir = commandsOf(router.adminUrl);
  const bad = await weir('doctor', '--through', collecting.url, '--model', 'm');
  assert.match(bad.stdout, /problem +streaming .*something collects the stream\n.*proxy_buffering off/);
  const good = await weir('doctor', '--through', passing.url, '--model', 'm', '--json');
  assert.ok(findings(good).includes('ok streaming'), good.stdout);
  assert.equal((await weir('doctor', '--through', passing.url)).code, 2);
});
