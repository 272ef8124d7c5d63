import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, type Stats } from './frame.ts';
import { ratesBetween } from './sample.ts';

type Node = Stats['nodes'][number];

function node(name: string, more: Partial<Node> = {}): Node {
  return {
    id: name,
    name,
    url: `http://${name}:8000`,
    engine: 'vllm',
    engineSetting: 'auto',
    state: 'ready',
    detail: null,
    draining: false,
    managedBy: 'api',
    foundBy: null,
    provider: null,
    maxConcurrent: null,
    slots: 10,
    slotsFrom: 'configuration',
    taken: 0,
    breaker: 'closed',
    cooling: false,
    sockets: null,
    models: ['llama3'],
    load: { running: null, waiting: null, cacheUse: null },
    version: null,
    lastProbeAt: null,
    apiKey: null,
    headers: {},
    tags: [],
    memoryBytes: null,
    logsUrl: null,
    agent: null,
    modelNames: null,
    timeouts: null,
    tls: null,
    ...more,
  };
}

function stats(nodes: readonly Node[], more: Partial<NonNullable<Stats['gauges']>> = {}): Stats {
  const gauges = {
    openLeases: 0,
    waiters: 0,
    waitingBytes: 0,
    openRequests: 0,
    draining: false,
    settlementsDropped: 0,
    retryBudget: 1,
    nodes: [],
    models: [],
    ...more,
  };
  const totals = { requests: 0, byOutcome: {}, promptTokens: 0, completionTokens: 0 };
  return { startedAt: 0, uptimeMs: 11_400_000, gauges, totals, nodes: [...nodes] };
}

const terminal = { columns: 80, rows: 24 };

test('200 nodes fit in 80 by 24, the busiest first, and those that cannot serve are named', () => {
  const nodes = Array.from({ length: 200 }, (_, at) =>
    node(`node-with-quite-a-long-name-of-the-second-rack-${at}`, { taken: at % 10, engine: 'llamacpp' }),
  );
  const lines = frame('http://127.0.0.1:9348', stats([node('dead', { state: 'offline' }), ...nodes]), null, terminal);
  assert.equal(lines.length, 24);
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.match(lines[0] ?? '', /up 3h10m {2}201 nodes: 1 offline, 200 ready/);
  assert.ok(lines.includes('not serving: dead'));
  assert.match(lines.at(-1) ?? '', /^and \d+ less busy$/);
  const firstNode = lines[lines.findIndex((line) => line.startsWith('NODE')) + 1];
  assert.match(firstNode ?? '', /#########- +9\/10 +1$/);
});

test('nodes that are equally busy stand in the order in which people count', () => {
  const lines = frame('http://r', stats([node('n-10'), node('n-2'), node('n-1')]), null, terminal);
  assert.deepEqual(
    lines.slice(-3).map((line) => line.split(' ')[0]),
    ['n-1', 'n-2', 'n-10'],
  );
});

test('rates, waiters and their models, a drain and what a node is held back for are shown', () => {
  const nodes = [
    node('out', { breaker: 'open' }),
    node('cool', { cooling: true }),
    node('away', { draining: true, taken: 3 }),
    node('full', { taken: 10 }),
  ];
  const gauges = {
    openLeases: 13,
    waiters: 3,
    waitingBytes: 2048,
    draining: true,
    models: [
      { model: 'llama3', waiters: 3 },
      { model: 'idle', waiters: 0 },
    ],
  };
  const rates = { requestsPerSecond: 12.34, tokensPerSecond: 12_345 };
  const text = frame('http://r', stats(nodes, gauges), rates, terminal).join('\n');
  assert.match(text, /DRAINING/);
  assert.match(text, /requests 12\/s {2}tokens out 12\.3k\/s {2}running 13 {2}waiting 3 \(2\.0 KB\)/);
  assert.match(text, /^waiting for llama3 3$/m);
  assert.match(text, /^full +ready +vllm +########## +10\/10 +1$/m);
  assert.match(text, /^out +taken out/m);
  assert.match(text, /^cool +cooling/m);
  assert.match(text, /^away +draining/m);
});

test('what is not known is not shown as 0, and a name cannot write to the terminal', () => {
  const unknown = { ...stats([node('a\u001b[31m', { taken: null })]), gauges: null };
  const text = frame('http://r', unknown, null, terminal).join('\n');
  assert.match(text, /requests -\/s {2}tokens out -\/s {2}running \? {2}the data plane does not answer/);
  assert.match(text, /\?\/10/);
  assert.ok(!text.includes('\u001b'));
});

test('rates are those between two looks, and unknown where the counters began anew', () => {
  const before = { at: 1000, requests: 10, tokens: 100 };
  assert.deepEqual(ratesBetween(before, { at: 3000, requests: 20, tokens: 500 }), {
    requestsPerSecond: 5,
    tokensPerSecond: 200,
  });
  assert.equal(ratesBetween(before, { at: 3000, requests: 2, tokens: 500 }), null);
  assert.equal(ratesBetween(null, before), null);
});
