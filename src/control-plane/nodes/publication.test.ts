import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySnapshot, type FleetSnapshot } from '../../fleet/snapshot.ts';
import type { NodeTelemetry } from '../../fleet/telemetry.ts';
import { ManualClock } from '../../lib/clock.ts';
import { Publication } from './publication.ts';

function publication(resume: FleetSnapshot | null = null) {
  const clock = new ManualClock();
  const snapshots: FleetSnapshot[] = [];
  const telemetry: (readonly NodeTelemetry[])[] = [];
  const published = new Publication({
    clock,
    resume,
    nodes: () => [],
    keys: () => new Map(),
    isSettled: () => false,
    sendSnapshot: (snapshot) => snapshots.push(snapshot),
    sendTelemetry: (nodes) => telemetry.push(nodes),
  });
  return { clock, published, snapshots, telemetry };
}

function reading(index: number, running: number): NodeTelemetry {
  return { index, generation: 1, readAt: 0, running, waiting: null, cacheUse: null, nextProbeAt: 0 };
}

test('changes that come together leave together', () => {
  const { clock, published, snapshots } = publication();
  for (let change = 0; change < 100; change += 1) published.changed();
  assert.equal(snapshots.length, 0);
  clock.advance(5);
  assert.deepEqual(
    snapshots.map(({ version }) => version),
    [1],
  );
  published.changed();
  clock.advance(5);
  assert.equal(snapshots.at(-1)?.version, 2);
});

test('a flush publishes at once what waits, and nothing where nothing does', () => {
  const { clock, published, snapshots } = publication();
  assert.equal(published.flush(), 0);
  published.changed();
  assert.equal(published.flush(), 1);
  clock.advance(100);
  assert.equal(snapshots.length, 1);
});

test('versions go on where a former control plane ended, and models keep the time they were first seen', () => {
  const models = new Map([['m', { name: 'm', offers: [], firstSeenAt: 42 }]]);
  const { published, snapshots } = publication({ ...emptySnapshot, version: 7, models });
  published.changed();
  published.flush();
  assert.equal(snapshots[0]?.version, 8);
  assert.equal(published.firstSeenAt('m'), 42);
  const seenAt = published.firstSeenAt('new');
  assert.equal(seenAt, Date.UTC(2026, 0, 1));
});

test('telemetry is bundled, the newest of each node', () => {
  const { clock, published, telemetry } = publication();
  published.telemetry(reading(0, 1));
  published.telemetry(reading(1, 5));
  published.telemetry(reading(0, 2));
  clock.advance(99);
  assert.equal(telemetry.length, 0);
  clock.advance(1);
  assert.deepEqual(telemetry, [[reading(0, 2), reading(1, 5)]]);
});
