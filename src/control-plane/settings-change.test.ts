import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestControlPlane, type TestControlPlane } from '../../test/support/control-plane.ts';
import { scriptedNode } from '../../test/support/scripted-node.ts';
import { testSettings } from '../../test/support/settings.ts';
import { until } from '../../test/support/until.ts';
import type { NodeSettings, Settings } from '../fleet/settings.ts';
import { plainReport } from '../fleet/settings-report.ts';

function entry(name: string, url: string, more: Partial<NodeSettings> = {}): NodeSettings {
  return { name, url, engine: 'auto', headers: {}, ...more };
}

let question = 0;

/** What speaks against them. */
async function take(plane: TestControlPlane, settings: Settings): Promise<readonly string[]> {
  question += 1;
  const mine = question;
  plane.send({ kind: 'settings', question: mine, report: plainReport(settings) });
  const taken = await until(
    () => plane.messages.find((message) => message.kind === 'settings-taken' && message.question === mine),
    { what: 'the settings to be taken' },
  );
  return taken.kind === 'settings-taken' ? taken.problems : ['no answer'];
}

function numbersOf(plane: TestControlPlane, name: string): readonly unknown[] {
  const node = plane.snapshot().nodes.find((each) => each?.name === name);
  return [node?.id, node?.index, node?.generation];
}

test('a node that stays keeps its index and generation, and one that moves gets another generation', async () => {
  await using one = await scriptedNode();
  await using two = await scriptedNode();
  const settings = testSettings({ nodes: [entry('goes', one.url), entry('stays', one.url), entry('moves', one.url)] });
  await using plane = await startTestControlPlane(settings);
  for (const name of ['goes', 'stays', 'moves']) await plane.nodeIs(name, 'ready');
  const [stays, moves] = [numbersOf(plane, 'stays'), numbersOf(plane, 'moves')];

  const nodes = [entry('moves', two.url), entry('comes', two.url), entry('stays', one.url, { maxConcurrent: 3 })];
  assert.deepEqual(await take(plane, { ...settings, nodes }), []);
  assert.deepEqual(numbersOf(plane, 'stays'), stays);
  assert.equal(plane.snapshot().nodes.find((node) => node?.name === 'stays')?.slots, 3);
  const moved = numbersOf(plane, 'moves');
  assert.deepEqual(moved.slice(0, 2), moves.slice(0, 2));
  assert.notEqual(moved[2], moves[2]);
  await plane.nodeIs('comes', 'ready');
  assert.deepEqual(numbersOf(plane, 'goes'), [undefined, undefined, undefined]);
});

test('a name that a node of the API has speaks against all of it', async () => {
  await using node = await scriptedNode();
  const settings = testSettings({ nodes: [entry('mine', node.url)] });
  await using plane = await startTestControlPlane(settings);
  await plane.nodeIs('mine', 'ready');
  await plane.api('POST', '/api/nodes', { name: 'theirs', url: node.url });
  const changed = testSettings({
    dataDir: settings.dataDir,
    queue: { maxWaiters: 3 },
    nodes: [entry('theirs', node.url)],
  });
  assert.match(
    String(await take(plane, changed)),
    /the name theirs belongs to a node that was added through the admin API/,
  );
  const { json } = await plane.api('GET', '/api/settings');
  assert.equal(Object(json).queue.maxWaiters, 1024);
  assert.ok(numbersOf(plane, 'mine')[0] !== undefined);
});
