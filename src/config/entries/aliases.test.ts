import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadedFrom, problemsOf } from '../../../test/support/load-config.ts';

test('an alias is a list in order, or a split by weight', async (t) => {
  const yaml = `
aliases:
  fast: ["llama3:8b", "openai:gpt-4o-mini"]
  soon: { order: [llama3, "openai:o3"], wait: 2s }
  "team/mix:latest": { any: [{ model: qwen3, weight: 3 }, { model: gemma3, weight: 0.5 }, phi4] }
`;
  const { settings, inForce } = await loadedFrom(t, { yaml });
  assert.deepEqual(settings.aliases, [
    {
      name: 'fast',
      how: 'in-order',
      waitMs: null,
      targets: [
        { model: 'llama3:8b', weight: 1 },
        { model: 'openai:gpt-4o-mini', weight: 1 },
      ],
    },
    {
      name: 'soon',
      how: 'in-order',
      waitMs: 2000,
      targets: [
        { model: 'llama3', weight: 1 },
        { model: 'openai:o3', weight: 1 },
      ],
    },
    {
      name: 'team/mix',
      how: 'weighted',
      waitMs: null,
      targets: [
        { model: 'qwen3', weight: 3 },
        { model: 'gemma3', weight: 0.5 },
        { model: 'phi4', weight: 1 },
      ],
    },
  ]);
  assert.deepEqual(
    inForce.filter(({ path }) => path.startsWith('aliases.')).map(({ shown }) => shown),
    [
      'llama3:8b, then openai:gpt-4o-mini',
      'llama3, then openai:o3; wait 2s',
      'qwen3 (weight 3), gemma3 (weight 0.5), phi4 (weight 1)',
    ],
  );
});

test('what is wrong with an alias is told with what to write', async (t) => {
  const yaml = `
aliases:
  fast: [llama3, quick]
  quick: [fast, quick]
  "fast:latest": [llama3, "llama3:latest"]
  "openai:gpt-4o": [llama3]
  empty: []
  single: llama3
  mix: { any: [{ modl: a }, { model: b, weight: 0 }, []] }
  odd: { some: [a] }
  deep: [{ model: a }]
  both: { order: [a], any: [b], wait: 2 }
  hasty: { wait: 2s }
`;
  assert.deepEqual(await problemsOf(t, { yaml }), [
    'aliases.fast (weir.yaml:3): names "quick", which is an alias itself; name the models that it stands for',
    'aliases.quick (weir.yaml:4): names "fast", which is an alias itself; name the models that it stands for',
    'aliases.quick (weir.yaml:4): names "quick", which is an alias itself; name the models that it stands for',
    'aliases.fast:latest (weir.yaml:5): is the same name as "fast"; keep one of them',
    'aliases.fast:latest (weir.yaml:5): names "llama3:latest" twice; keep one of them',
    'aliases.openai:gpt-4o (weir.yaml:6): begins with openai:, and such models go to that provider; choose another name',
    'aliases.empty (weir.yaml:7): names no model; write fast: [llama3, "openai:gpt-4o-mini"] or fast: { any: [llama3, { model: qwen3, weight: 2 }] }',
    'aliases.single (weir.yaml:8): lists no models; write fast: [llama3, "openai:gpt-4o-mini"] or fast: { any: [llama3, { model: qwen3, weight: 2 }] }',
    'aliases.mix.any[0].modl (weir.yaml:9): unknown; write one of model, weight',
    'aliases.mix.any[0] (weir.yaml:9): has no model; write model: NAME',
    'aliases.mix.any[1].weight (weir.yaml:9): 0 is out of range; write a number above 0 and at most 1000, such as 2',
    'aliases.mix.any[2] (weir.yaml:9): is a list; write one value',
    'aliases.odd.some (weir.yaml:10): unknown; write one of order, any, wait',
    'aliases.deep[0] (weir.yaml:11): is a section; write the name of a model, or split by weight with { any: [{ model, weight }] }',
    'aliases.both.wait (weir.yaml:12): "2" has no unit; write 2s for seconds or 2ms for milliseconds',
    'aliases.both (weir.yaml:12): has order and any; keep one of them',
    'aliases.hasty (weir.yaml:13): lists no models; write fast: [llama3, "openai:gpt-4o-mini"] or fast: { any: [llama3, { model: qwen3, weight: 2 }] }',
  ]);
  assert.deepEqual(await problemsOf(t, { yaml: 'aliases: [fast]' }), [
    'aliases (weir.yaml:1): must be a section; write it as fast: [llama3, "openai:gpt-4o-mini"] or fast: { any: [llama3, { model: qwen3, weight: 2 }] }',
  ]);
});
