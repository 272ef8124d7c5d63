import type { FleetSnapshot, ModelOffer, ModelSnapshot } from '../fleet/snapshot.ts';
import { engineGroups, groupOf, nameInGroup, type Speech, speaks } from './spoken.ts';

// What only some engines speak is forwarded untranslated, so only nodes of those engines can serve it. The dispatcher knows models, not
// dialects: where a model is offered by other engines too, it is given a further name for each set of engines that share
// something, under which only their nodes offer it. Where all of a model's nodes can serve an endpoint its own name is used.

/** The snapshot as the dispatcher sees it. */
export function placementView(snapshot: FleetSnapshot): FleetSnapshot {
  const models = new Map<string, ModelSnapshot>();
  for (const model of snapshot.models.values()) {
    models.set(model.name, model);
    for (const [group, engines] of engineGroups) {
      const offers = model.offers.filter((offer) => {
        const engine = snapshot.nodes[offer.node]?.engine;
        return engine !== undefined && engines.has(engine);
      });
      if (offers.length === 0 || offers.length === model.offers.length) continue;
      const name = nameInGroup(model.name, group);
      models.set(name, { ...model, name, offers });
    }
  }
  return { ...snapshot, models };
}

/** The name to place a request for this speech under; one that nobody offers where no node speaks it. */
export function placementName(snapshot: FleetSnapshot, speech: Speech | null, model: string): string {
  if (speech === null) return model;
  const offers = snapshot.models.get(model)?.offers ?? [];
  return speakingOffers(snapshot, speech, model).length === offers.length ? model : nameInGroup(model, groupOf(speech));
}

/** The model's offers on nodes whose engine speaks it; none where the model is unknown. */
export function speakingOffers(snapshot: FleetSnapshot, speech: Speech, model: string): readonly ModelOffer[] {
  return (snapshot.models.get(model)?.offers ?? []).filter((offer) => {
    const engine = snapshot.nodes[offer.node]?.engine;
    return engine !== undefined && speaks(engine, speech);
  });
}
