import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DnsSource, NodeSettings } from '../../fleet/settings.ts';
import { ManualClock } from '../../lib/clock.ts';
import { DnsDiscovery } from './dns-discovery.ts';

const traits: DnsSource['node'] = { engine: 'vllm', headers: {}, maxConcurrent: 4 };
const byPort: DnsSource = { id: 'llm.svc:8000', name: 'llm.svc', port: 8000, node: traits };
const bySrv: DnsSource = { id: '_http._tcp.llm.svc', name: '_http._tcp.llm.svc', port: null, node: traits };

interface Zone {
  addresses: Record<string, readonly string[] | Error>;
  services: Record<string, readonly { readonly name: string; readonly port: number }[] | Error>;
}

function failure(code: string): Error {
  return Object.assign(new Error(`query failed: ${code}`), { code });
}

async function ask<T>(answer: readonly T[] | Error | undefined): Promise<readonly T[]> {
  if (answer === undefined) throw failure('ENOTFOUND');
  if (answer instanceof Error) throw answer;
  return answer;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function resolving(source: DnsSource, zone: Zone) {
  const clock = new ManualClock();
  const told: (readonly string[])[] = [];
  const failures: string[] = [];
  let last: readonly NodeSettings[] = [];
  let looks = 0;
  const discovery = new DnsDiscovery(source, {
    clock,
    resolver: {
      addresses: (name) => {
        looks += 1;
        return ask(zone.addresses[name]);
      },
      services: (name) => ask(zone.services[name]),
    },
    onNodes: (_source, nodes) => {
      last = nodes;
      told.push(nodes.map(({ url }) => url));
    },
    onFailure: (_source, reason) => failures.push(reason),
    onFirstLook: () => undefined,
  });
  return {
    told,
    failures,
    zone,
    discovery,
    last: () => last,
    looks: () => looks,
    start: async () => {
      discovery.start();
      await settle();
    },
    pass: async (ms: number) => {
      clock.advance(ms);
      await settle();
    },
  };
}

test('every address of a name is a node, with what is said of all of them', async () => {
  const stage = resolving(byPort, { addresses: { 'llm.svc': ['10.0.0.2', 'fd00::1', '10.0.0.1'] }, services: {} });
  await stage.start();
  assert.deepEqual(stage.last(), [
    { ...traits, name: 'llm.svc-10.0.0.1-8000', url: 'http://10.0.0.1:8000' },
    { ...traits, name: 'llm.svc-10.0.0.2-8000', url: 'http://10.0.0.2:8000' },
    { ...traits, name: 'llm.svc-fd00::1-8000', url: 'http://[fd00::1]:8000' },
  ]);
});

test('without a port, SRV records say host and port', async () => {
  const services = {
    '_http._tcp.llm.svc': [
      { name: 'a.svc', port: 8001 },
      { name: 'b.svc', port: 8002 },
    ],
  };
  const stage = resolving(bySrv, { services, addresses: { 'a.svc': ['10.0.0.1'], 'b.svc': ['10.0.0.2', '10.0.0.3'] } });
  await stage.start();
  assert.deepEqual(stage.told.at(-1), ['http://10.0.0.1:8001', 'http://10.0.0.2:8002', 'http://10.0.0.3:8002']);
});

test('the name is resolved anew every 30 s, and what is gone goes after a minute', async () => {
  const stage = resolving(byPort, { addresses: { 'llm.svc': ['10.0.0.1', '10.0.0.2'] }, services: {} });
  await stage.start();
  stage.zone.addresses['llm.svc'] = ['10.0.0.2', '10.0.0.3'];
  await stage.pass(29_999);
  assert.equal(stage.told.length, 1);
  await stage.pass(1);
  assert.deepEqual(stage.told.at(-1), ['http://10.0.0.1:8000', 'http://10.0.0.2:8000', 'http://10.0.0.3:8000']);
  await stage.pass(30_000);
  assert.deepEqual(stage.told.at(-1), ['http://10.0.0.2:8000', 'http://10.0.0.3:8000']);
});

test('an answer that did not come changes nothing and is told once; one that there is nothing empties it in time', async () => {
  const stage = resolving(byPort, { addresses: { 'llm.svc': ['10.0.0.1'] }, services: {} });
  await stage.start();
  stage.zone.addresses['llm.svc'] = failure('EAI_AGAIN');
  for (let look = 0; look < 5; look += 1) await stage.pass(30_000);
  assert.equal(stage.told.length, 1);
  assert.deepEqual(stage.failures, ['query failed: EAI_AGAIN']);
  stage.zone.addresses['llm.svc'] = ['10.0.0.1'];
  await stage.pass(30_000);
  assert.deepEqual(stage.told.at(-1), ['http://10.0.0.1:8000']);
  delete stage.zone.addresses['llm.svc'];
  await stage.pass(30_000);
  assert.deepEqual(stage.told.at(-1), ['http://10.0.0.1:8000']);
  await stage.pass(30_000);
  assert.deepEqual(stage.told.at(-1), []);
});

test('a name that was never resolved is asked for again soon, and a stopped one no more', async () => {
  const stage = resolving(byPort, { addresses: { 'llm.svc': failure('ESERVFAIL') }, services: {} });
  await stage.start();
  stage.zone.addresses['llm.svc'] = ['10.0.0.1'];
  await stage.pass(2000);
  assert.deepEqual(stage.told, [['http://10.0.0.1:8000']]);
  const { looks } = stage;
  const before = looks();
  stage.discovery.stop();
  await stage.pass(120_000);
  assert.equal(looks(), before);
});
