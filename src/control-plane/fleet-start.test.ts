import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory, testSettings } from '../../test/support/settings.ts';
import type { ControlPlaneStart } from '../fleet/messages.ts';
import type { NodeSettings, Settings } from '../fleet/settings.ts';
import { emptySnapshot, type FleetSnapshot } from '../fleet/snapshot.ts';
import { discoveredSettings, nodesAtStart, UnusableSettings } from './fleet-start.ts';
import { openDatabase } from './store/database.ts';
import { NodesTable } from './store/nodes-table.ts';

function entry(name: string): NodeSettings {
  return { name, url: `http://${name}:1`, engine: 'auto', headers: {} };
}

function table(): NodesTable {
  return new NodesTable(openDatabase(temporaryDirectory()), () => 1);
}

function startOf(settings: Settings, resume: FleetSnapshot | null = null): ControlPlaneStart {
  return { settings, resume, startedAt: 0 };
}

/** What a former control plane would have published of one node at index 3. */
function published(id: string, name: string, baseUrl: string): FleetSnapshot {
  const node = {
    index: 3,
    generation: 9,
    id,
    name,
    baseUrl,
    engine: 'ollama',
    state: 'ready',
    draining: false,
    slots: 1,
    apiKey: null,
    headers: {},
    tls: null,
    timeouts: {},
    probes: 4,
  } as const;
  const offer = { node: 3, upstream: 'm:latest', ready: true, slots: null };
  const models = new Map([['m', { name: 'm', offers: [offer, { ...offer, node: 0 }], firstSeenAt: 1 }]]);
  return { ...emptySnapshot, version: 20, nodes: [null, null, null, node], models };
}

test('a node of the configuration has the same id at every start, and drains on if it did', () => {
  const nodes = table();
  const settings = testSettings({ nodes: [entry('a')] });
  const [first] = nodesAtStart(startOf(settings), nodes);
  assert.ok(first);
  nodes.setDraining(first.id, true);
  const [second] = nodesAtStart(startOf(settings), nodes);
  assert.deepEqual([second?.id, second?.managedBy, second?.draining], [first.id, 'config', true]);
});

test('a name twice, or one that an API node has, cannot start', () => {
  const nodes = table();
  assert.throws(
    () => nodesAtStart(startOf(testSettings({ nodes: [entry('a'), entry('a')] })), nodes),
    UnusableSettings,
  );
  nodes.put('b', 'api', entry('b'));
  assert.throws(() => nodesAtStart(startOf(testSettings({ nodes: [entry('b')] })), nodes), /b belongs to a node/);
});

test('a discovered node is taken over from the snapshot that knows it, and is not one after a fresh start', () => {
  const nodes = table();
  const id = nodes.idOf('ollama-11434', 'discovery');
  const settings = testSettings({ discovery: { enabled: true }, nodes: [entry('new')] });
  assert.equal(nodesAtStart(startOf(settings), nodes).length, 1);
  const resume = published(id, 'ollama-11434', 'http://127.0.0.1:11434');
  const [found, added] = nodesAtStart(startOf(settings, resume), nodes);
  assert.deepEqual(
    [found?.id, found?.managedBy, found?.settings],
    [id, 'discovery', discoveredSettings('ollama-11434', 'http://127.0.0.1:11434')],
  );
  assert.equal(found?.remembered?.node.index, 3);
  assert.deepEqual(
    found?.remembered?.models.map(({ model, upstream }) => [model, upstream]),
    [['m', 'm:latest']],
  );
  assert.equal(added?.settings.name, 'new');
  const off = testSettings({ discovery: { enabled: false } });
  assert.deepEqual(nodesAtStart(startOf(off, resume), nodes), []);
});

test('where the store cannot be written, nodes of the configuration are served all the same', () => {
  const database = openDatabase(temporaryDirectory());
  database.exec('PRAGMA query_only = 1');
  const nodes = new NodesTable(database, () => 1);
  const [node] = nodesAtStart(startOf(testSettings({ nodes: [entry('a')] })), nodes);
  assert.match(node?.id ?? '', /^[0-9a-f-]{36}$/);
});

test('nodes of a watched file are there from the start, unless somebody else has their name or address', () => {
  const nodes = table();
  nodes.put('of-the-api', 'api', entry('of-the-api'));
  const found = [entry('found'), entry('of-the-api'), { ...entry('twice'), url: entry('mine').url }];
  const settings = testSettings({ nodes: [entry('mine')], discovery: { nodes: found } });
  const started = nodesAtStart(startOf(settings), nodes).map(
    ({ settings: { name }, managedBy, foundBy = null }) => `${name} ${managedBy} ${foundBy}`,
  );
  assert.deepEqual(started, ['mine config null', 'of-the-api api null', 'found discovery file']);
});

test('a node found in DNS is taken over with what is said of all of them, as long as the name is wanted', () => {
  const nodes = table();
  const id = nodes.idOf('llm-10.0.0.1-8000', 'dns llm:8000');
  const source = {
    id: 'llm:8000',
    name: 'llm',
    port: 8000,
    node: { engine: 'vllm', headers: {}, apiKey: 'k' },
  } as const;
  const resume = published(id, 'llm-10.0.0.1-8000', 'http://10.0.0.1:8000');
  const [found] = nodesAtStart(startOf(testSettings({ discovery: { dns: [source] } }), resume), nodes);
  assert.deepEqual([found?.id, found?.foundBy, found?.settings.apiKey], [id, 'dns llm:8000', 'k']);
  assert.equal(found?.remembered?.node.generation, 9);
  assert.deepEqual(nodesAtStart(startOf(testSettings(), resume), nodes), []);
});
