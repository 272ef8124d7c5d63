import type { ProbedModel } from '../probe.ts';
import { type Answer, refuse } from './ask.ts';
import { countField, field, listField, numberField, textField } from '../json.ts';

// OpenAI's model list, as engines write it: `{"data":[{"id"}]}`, a bare array at some providers, `"data": null` at an
// Ollama without models.

/** The entries of a list, or null where the body is none. */
export function listEntries(answer: Answer): readonly unknown[] | null {
  if (answer.status !== 200) return null;
  if (Array.isArray(answer.json)) return answer.json;
  if (field(answer.json, 'data') === null) return [];
  return listField(answer.json, 'data');
}

/** True if the list has entries and every one is owned by `owner`. */
export function isOwnedBy(answer: Answer, owner: string): boolean {
  const entries = listEntries(answer) ?? [];
  return entries.length > 0 && entries.every((entry) => textField(entry, 'owned_by') === owner);
}

/** The models of an answer to `/v1/models`; throws `ProbeStop` where it is no list. */
export function readModelList(answer: Answer): ProbedModel[] {
  const entries = listEntries(answer) ?? refuse(answer, 'a model list');
  return entries.flatMap((entry) => {
    const name = textField(entry, 'id');
    if (name === null) return [];
    const meta = field(entry, 'meta');
    const ownedBy = textField(entry, 'owned_by');
    const state = textField(field(entry, 'status'), 'value');
    return [
      {
        name,
        ...(ownedBy === null ? {} : { ownedBy }),
        // llama.cpp's router mode tells each model's state; `unloaded` ones are loaded on demand.
        ready: state !== 'loading',
        ...(state === null ? {} : { isLoaded: state === 'loaded' }),
        slots: null,
        sizeBytes: numberField(meta, 'size'),
        contextTokens: countField(entry, 'max_model_len') ?? countField(meta, 'n_ctx_train'),
      },
    ];
  });
}

/** For engines that list only what they have in memory. */
export function inMemory(models: readonly ProbedModel[]): readonly ProbedModel[] {
  return models.map((model) => ({ isLoaded: true, ...model }));
}
