import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedModels, modelOf, placedAs, upstreamName } from './offered-models.ts';
import { emptySnapshot, type FleetSnapshot, type ModelSnapshot } from './snapshot.ts';

function model(name: string, upstream: string, more: Partial<ModelSnapshot> = {}): [string, ModelSnapshot] {
  return [name, { name, offers: [{ node: 0, upstream, ready: true, slots: null }], firstSeenAt: 0, ...more }];
}

const fleet: FleetSnapshot = {
  ...emptySnapshot,
  models: new Map([
    model('llama3', 'llama3'),
    model('openai:', '', { isPrefix: true }),
    model('openai:gpt-4o', 'gpt-4o'),
  ]),
};

test('a model is placed under its own name, or else under the prefix of a provider that is there', () => {
  assert.equal(placedAs(fleet, 'llama3:latest'), 'llama3');
  assert.equal(placedAs(fleet, 'openai:gpt-4o'), 'openai:gpt-4o');
  assert.equal(placedAs(fleet, 'openai:o3:latest'), 'openai:');
  assert.equal(placedAs(fleet, 'google:gemini'), 'google:gemini');
  assert.equal(placedAs(fleet, 'nobody'), 'nobody');
});

test('a prefix alone is the name of no model', () => {
  assert.equal(modelOf(fleet, 'openai:'), undefined);
  assert.equal(modelOf(fleet, 'openai'), undefined);
  assert.equal(modelOf(fleet, 'openai:latest'), undefined);
  assert.equal(modelOf(fleet, 'openai:x')?.name, 'openai:');
  assert.equal(modelOf(fleet, 'google:x'), undefined);
});

test('lists show the models that have a name', () => {
  assert.deepEqual(
    listedModels(fleet).map(({ name }) => name),
    ['llama3', 'openai:gpt-4o'],
  );
});

test('a provider is asked for what follows its prefix, every other node for what it offers', () => {
  assert.equal(upstreamName('openai:ft:gpt-4o:acme::1', ''), 'ft:gpt-4o:acme::1');
  assert.equal(upstreamName('openai:gpt-4o', 'gpt-4o'), 'gpt-4o');
  assert.equal(upstreamName('openai:gpt-4o', 'a-name-of-its-own'), 'a-name-of-its-own');
});
