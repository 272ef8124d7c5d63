import type { Dialect } from '../fleet/glossary.ts';
import type { FleetSnapshot, ModelSnapshot } from '../fleet/snapshot.ts';

// Ollama's own API is forwarded untranslated, so only Ollama nodes can serve it. The dispatcher knows models, not dialects: where
// a model is offered by other engines too, it is given a second name under which only its Ollama nodes offer it.

const OLLAMA_ONLY = '\u0000ollama';

/** The snapshot as the dispatcher sees it. */
export function placementView(snapshot: FleetSnapshot): FleetSnapshot {
  const models = new Map<string, ModelSnapshot>();
  for (const model of snapshot.models.values()) {
    models.set(model.name, model);
    const offers = model.offers.filter((offer) => snapshot.nodes[offer.node]?.engine === 'ollama');
    if (offers.length === 0 || offers.length === model.offers.length) continue;
    const name = model.name + OLLAMA_ONLY;
    models.set(name, { ...model, name, offers });
  }
  return { ...snapshot, models };
}

/** The name to place a request of this dialect under; one that nobody offers where no node speaks the dialect. */
export function placementName(snapshot: FleetSnapshot, dialect: Dialect, model: string): string {
  if (dialect !== 'ollama') return model;
  const offers = snapshot.models.get(model)?.offers ?? [];
  const isOllamaOnly = offers.every((offer) => snapshot.nodes[offer.node]?.engine === 'ollama');
  return isOllamaOnly ? model : model + OLLAMA_ONLY;
}

/** The model's public name again. */
export function publicName(placement: string): string {
  return placement.endsWith(OLLAMA_ONLY) ? placement.slice(0, -OLLAMA_ONLY.length) : placement;
}
