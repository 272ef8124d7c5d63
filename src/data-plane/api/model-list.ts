import type { FleetSnapshot, ModelSnapshot } from '../../fleet/snapshot.ts';
import { listedModels, modelOf } from '../../fleet/offered-models.ts';

// OpenAI's list of models, built from the snapshot: nodes are never asked, so that nothing of theirs can leak.

interface ModelObject {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: 'weir';
}

/** The models that `mayUse` allows, by name. */
export function listModels(
  snapshot: FleetSnapshot,
  mayUse: (name: string) => boolean,
): { object: 'list'; data: ModelObject[] } {
  const data = listedModels(snapshot)
    .filter(({ name }) => mayUse(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((model) => describe(model, model.name));
  return { object: 'list', data };
}

/** One model under the name it was asked for, or null where it is not offered. */
export function findModel(snapshot: FleetSnapshot, id: string): ModelObject | null {
  const model = modelOf(snapshot, id);
  return model ? describe(model, id) : null;
}

function describe(model: ModelSnapshot, id: string): ModelObject {
  return { id, object: 'model', created: Math.floor(model.firstSeenAt / 1000), owned_by: 'weir' };
}
