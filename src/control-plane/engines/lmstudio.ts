import type { ProbedModel } from '../probe.ts';
import { unknownLoad } from '../probe.ts';
import { refuse } from './ask.ts';
import type { Engine } from './engine.ts';
import { countField, listField, textField } from '../json.ts';

// LM Studio answers 200 with an error text to every path it does not know, so its list is known by the `state` of its
// entries. What is not loaded is loaded on demand, and so is ready.

export const lmstudio: Engine = {
  kind: 'lmstudio',
  recognise: async (ask) => {
    const list = await ask('/api/v0/models');
    const entries = list.status === 200 ? listField(list.json, 'data') : null;
    return entries !== null && entries.every((entry) => textField(entry, 'state') !== null);
  },
  probe: async (ask) => {
    const list = await ask('/api/v0/models');
    const models = list.status === 200 ? listModels(list.json) : null;
    if (models === null) refuse(list, "LM Studio's list of models");
    return { state: 'ready', models, slots: null, load: unknownLoad, version: null };
  },
};

function listModels(json: unknown): ProbedModel[] | null {
  const entries = listField(json, 'data');
  if (entries === null) return null;
  return entries.flatMap((entry) => {
    const name = textField(entry, 'id');
    if (name === null) return [];
    const contextTokens = countField(entry, 'loaded_context_length') ?? countField(entry, 'max_context_length');
    const state = textField(entry, 'state');
    const quantization = textField(entry, 'quantization');
    return [
      {
        name,
        ready: state !== 'loading',
        slots: null,
        sizeBytes: null,
        contextTokens,
        isLoaded: state === 'loaded',
        ...(quantization === null ? {} : { quantization }),
      },
    ];
  });
}
