import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaEvent, finishEvent, type Reply } from '../support/scripted-answers.ts';
import { scriptedNode } from '../support/scripted-node.ts';
import { nodeSettings, startRouter } from '../support/start-router.ts';
import { until } from '../support/until.ts';

test('a crash of the control plane is not noticed by requests, and it is started again', async () => {
  let stream: Reply | undefined;
  await using node = await scriptedNode((_request, reply) => {
    if (stream) return reply.json(200, { object: 'chat.completion', choices: [] });
    stream = reply;
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.response.write(deltaEvent('before'));
  });
  await using router = await startRouter({ nodes: [nodeSettings('n', node.url)] });
  await router.settled;
  const running = await router.chat({ stream: true });
  const before = router.app.dataPlane.snapshot.nodes[0];

  await router.app.controlPlane.crash();
  // While it is away: a new request is placed, the running stream goes on.
  const meanwhile = await router.chat();
  assert.equal(meanwhile.status, 200);
  stream?.response.write(deltaEvent(' after'));
  stream?.response.end(`${finishEvent()}data: [DONE]\n\n`);
  const text = await running.text();
  assert.match(text, /before/);
  assert.match(text, / after/);
  assert.match(text, /\[DONE\]/);

  // Back again on the same address, with the same nodes under the same indexes, and with what happened while it was away.
  await until(async () => (await router.admin('/api/nodes').catch(() => null))?.status === 200, {
    what: 'the admin API',
  });
  const after = router.app.dataPlane.snapshot.nodes[0];
  assert.equal(after?.id, before?.id);
  assert.equal(after?.generation, before?.generation);
  assert.equal(after?.state, 'ready');
  await until(async () => (await router.adminList('/api/requests')).length === 2, {
    what: 'both requests in the history',
  });
});
