import type { ProbedModel } from '../probe.ts';
import { askQuietly, refuse } from './ask.ts';
import { type Engine, LOAD_WITHIN_MS } from './engine.ts';
import { countField, field, listField, numberField, textField } from '../json.ts';

// Ollama loads models on demand, so every model on its disk is ready. It tells neither its number of parallel places nor
// how many are taken. `/api/ps` lists what is in memory: with nothing there, nothing can be running; with something
// there, it says nothing of work.

export const ollama: Engine = {
  kind: 'ollama',
  recognise: async (ask) => {
    const version = await ask('/api/version');
    if (version.status !== 200 || textField(version.json, 'version') === null) return false;
    const tags = await ask('/api/tags');
    return tags.status === 200 && listModels(tags.json) !== null;
  },
  probe: async (ask) => {
    const [tags, memory, version] = await Promise.all([
      ask('/api/tags'),
      askQuietly(ask, '/api/ps', LOAD_WITHIN_MS),
      askQuietly(ask, '/api/version', LOAD_WITHIN_MS),
    ]);
    const listed = tags.status === 200 ? listModels(tags.json) : null;
    if (listed === null) refuse(tags, "Ollama's list of models");
    const loaded = memory?.status === 200 ? listField(memory.json, 'models') : null;
    return {
      state: 'ready',
      models: loaded ? listed.map((model) => inMemory(model, loaded)) : listed,
      slots: null,
      load: { running: loaded?.length === 0 ? 0 : null, waiting: null, cacheUse: null },
      version: textField(version?.json, 'version'),
    };
  },
};

function listModels(json: unknown): ProbedModel[] | null {
  const entries = field(json, 'models') === null ? [] : listField(json, 'models');
  if (entries === null) return null;
  return entries.flatMap((entry) => {
    const name = textField(entry, 'name') ?? textField(entry, 'model');
    if (name === null) return [];
    const sizeBytes = numberField(entry, 'size');
    const details = field(entry, 'details');
    const contextTokens = countField(details, 'context_length');
    const quantization = textField(details, 'quantization_level');
    const digest = textField(entry, 'digest');
    return [
      {
        name,
        ready: true,
        slots: null,
        sizeBytes,
        contextTokens,
        ...(quantization === null ? {} : { quantization }),
        ...(digest === null ? {} : { digest }),
      },
    ];
  });
}

/** `/api/ps` has the context that a loaded model runs with, which may be less than it could. */
function inMemory(model: ProbedModel, loaded: readonly unknown[]): ProbedModel {
  const running = loaded.find((entry) => (textField(entry, 'name') ?? textField(entry, 'model')) === model.name);
  const contextTokens = countField(running, 'context_length') ?? model.contextTokens;
  return { ...model, contextTokens, isLoaded: running !== undefined };
}
