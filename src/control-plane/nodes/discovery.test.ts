import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { type ProbeAnswer, type ProbeResult, unknownLoad } from '../probe.ts';
import { Discovery } from './discovery.ts';
import { NodeRegistry } from './registry.ts';

const model = { name: 'm', ready: true, slots: null, sizeBytes: null, contextTokens: null };
const ollama: ProbeAnswer = {
  kind: 'answered',
  engine: 'ollama',
  state: 'ready',
  models: [],
  slots: null,
  load: unknownLoad,
  version: null,
};
const nobody: ProbeResult = { kind: 'unreachable', detail: '' };

async function machine(answers: Readonly<Record<number, ProbeResult>>) {
  const clock = new ManualClock();
  const registry = new NodeRegistry(
    clock,
    () => 1,
    (id) => `/${id}.sock`,
  );
  const asked: string[] = [];
  const current = new Map(Object.entries(answers));
  const firstLook = Promise.withResolvers<void>();
  const discovery = new Discovery({
    clock,
    ports: [11434, 8000],
    probe: (url) => {
      asked.push(url);
      return Promise.resolve(current.get(url.split(':').at(-1) ?? '') ?? nobody);
    },
    nodes: () => registry.all(),
    onFound: (name, url) =>
      registry.add({
        id: name,
        managedBy: 'discovery',
        draining: false,
        settings: { name, url, engine: 'auto', headers: {} },
      }),
    onGone: (node) => registry.remove(node),
    onFirstLook: firstLook.resolve,
  });
  const look = async (): Promise<void> => {
    clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const names = (): string[] => registry.all().map(({ settings }) => settings.name);
  return { clock, registry, asked, current, discovery, firstLook: firstLook.promise, look, names };
}

test('what answers as an engine is added, once', async () => {
  const { discovery, firstLook, look, names, asked } = await machine({ 11434: ollama });
  discovery.start();
  await firstLook;
  assert.deepEqual(names(), ['ollama-11434']);
  await look();
  assert.deepEqual(names(), ['ollama-11434']);
  assert.deepEqual(asked, ['http://127.0.0.1:11434', 'http://127.0.0.1:8000', 'http://127.0.0.1:8000']);
});

test('an engine registered by hand under another spelling is not found again', async () => {
  const { registry, discovery, firstLook, asked } = await machine({ 11434: ollama });
  const settings = { name: 'mine', url: 'http://localhost:11434/v1', engine: 'auto', headers: {} } as const;
  registry.add({ id: 'x', managedBy: 'config', draining: false, settings });
  discovery.start();
  await firstLook;
  assert.deepEqual(asked, ['http://127.0.0.1:8000']);
});

test('an engine that comes later is found, and a name that is taken gets a number', async () => {
  const { registry, current, discovery, firstLook, look, names } = await machine({});
  const settings = { name: 'ollama-11434', url: 'http://far:1', engine: 'auto', headers: {} } as const;
  registry.add({ id: 'x', managedBy: 'api', draining: false, settings });
  discovery.start();
  await firstLook;
  current.set('11434', ollama);
  await look();
  assert.deepEqual(names(), ['ollama-11434', 'ollama-11434-2']);
});

test('another router and a server with nothing to offer are not engines', async () => {
  const router: ProbeAnswer = { ...ollama, engine: 'openai', version: 'weir', models: [model] };
  const empty: ProbeAnswer = { ...ollama, engine: 'openai', models: [] };
  const { discovery, firstLook, names } = await machine({ 11434: router, 8000: empty });
  discovery.start();
  await firstLook;
  assert.deepEqual(names(), []);
});

test('an engine that is away stays for a while and is then forgotten', async () => {
  const { registry, discovery, firstLook, look, names } = await machine({ 11434: ollama });
  discovery.start();
  await firstLook;
  const [node] = registry.all();
  assert.ok(node);
  registry.applyProbe(node, nobody);
  await look();
  for (let looks = 0; looks < 29; looks += 1) {
    await look();
  }
  assert.deepEqual(names(), ['ollama-11434']);
  await look();
  // Found anew in the same look, since the port answers again here: what matters is that it was let go.
  assert.notEqual(registry.all()[0], node);
});
