import { canonicalModel } from '../../fleet/glossary.ts';
import type { ProbedModel } from '../probe.ts';
import type { ListedModel } from './registered-node.ts';

// Which models a node offers, and under which names. Models an operator listed *are* the offer, whatever the engine
// lists; what the engine tells of them is kept. Else the engine's own list is the offer. An engine that
// names a model by a path on its disk (llama.cpp without --alias) offers it under the file's name: a path is no name
// to type, and tells clients about the machine.

/** The offer of a node; `listed` is null where the engine has told no list. Null: nothing is known of its models. */
export function offeredModels(
  configured: Readonly<Record<string, string>> | undefined,
  listed: readonly ProbedModel[] | null,
): readonly ListedModel[] | null {
  if (configured) {
    const told = new Map(listed?.map((model) => [canonicalModel(model.name), model]));
    return uniqueByName(
      Object.entries(configured).map(([name, upstream]) => {
        const model = told.get(canonicalModel(upstream));
        return listedModel(canonicalModel(name), { ...unknownModel, ...model, name: upstream });
      }),
    );
  }
  if (!listed) return null;
  return uniqueByName(listed.map((model) => listedModel(publicName(model.name), model)));
}

/** The canonical public name of a model that an engine calls `upstream`. */
export function publicName(upstream: string): string {
  const isPath = /^(?:\/|\.{1,2}\/|[A-Za-z]:[\\/])/.test(upstream);
  const name = isPath ? (upstream.split(/[\\/]/).findLast((part) => part !== '') ?? upstream) : upstream;
  return canonicalModel(isPath ? name.replace(/\.gguf$/i, '') : name);
}

const unknownModel = { ready: true, slots: null, sizeBytes: null, contextTokens: null };

function listedModel(model: string, told: ProbedModel): ListedModel {
  const { name: upstream, ready, slots, sizeBytes, contextTokens } = told;
  return { model, upstream, ready, slots, sizeBytes, contextTokens };
}

function uniqueByName(models: readonly ListedModel[]): readonly ListedModel[] {
  return [...new Map(models.toReversed().map((model) => [model.model, model])).values()].toReversed();
}
