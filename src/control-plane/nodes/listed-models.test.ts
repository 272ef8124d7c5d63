import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbedModel } from '../probe.ts';
import { offeredModels, publicName } from './listed-models.ts';

function probed(name: string, more: Partial<ProbedModel> = {}): ProbedModel {
  return { name, ready: true, slots: null, sizeBytes: null, contextTokens: null, ...more };
}

test('without a configured list the engine’s own is offered, under canonical names', () => {
  const offered = offeredModels(undefined, [probed('llama3:latest'), probed('llama3'), probed('qwen3:8b')]);
  assert.deepEqual(
    offered?.map(({ model, upstream }) => [model, upstream]),
    [
      ['llama3', 'llama3:latest'],
      ['qwen3:8b', 'qwen3:8b'],
    ],
  );
});

test('a configured list is the offer, with what the engine tells of its models', () => {
  const configured = { llama3: 'meta-llama/Llama-3-8B', other: 'not-listed' };
  const listed = [probed('meta-llama/Llama-3-8B', { ready: false, contextTokens: 8192 }), probed('hidden')];
  const offered = offeredModels(configured, listed);
  assert.deepEqual(
    offered?.map(({ model, upstream, ready, contextTokens }) => [model, upstream, ready, contextTokens]),
    [
      ['llama3', 'meta-llama/Llama-3-8B', false, 8192],
      ['other', 'not-listed', true, null],
    ],
  );
  assert.equal(offeredModels(configured, null)?.length, 2);
  assert.equal(offeredModels(undefined, null), null);
});

test('a model that an engine names by a path is offered under the name of its file', () => {
  assert.equal(publicName('/srv/models/Tiny-1B.Q4.gguf'), 'Tiny-1B.Q4');
  assert.equal(publicName('C:\\models\\a.gguf'), 'a');
  assert.equal(publicName('./m.GGUF'), 'm');
  assert.equal(publicName('meta-llama/Llama-3-8B'), 'meta-llama/Llama-3-8B');
  assert.equal(publicName('tiny.gguf'), 'tiny.gguf');
});
