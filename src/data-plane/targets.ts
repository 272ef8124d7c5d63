import { type Alias, type AliasTarget } from '../fleet/settings.ts';
import { canonicalModel } from '../fleet/glossary.ts';
import { modelOf } from '../fleet/offered-models.ts';
import type { FleetSnapshot, ModelSnapshot } from '../fleet/snapshot.ts';

// What a name stands for: itself, or an alias for several models, of which one after the other is tried until one can serve. A split by
// weight is a draw of that order: each place in it goes to one of those left, by weight, so that the first is chosen as the
// operator wants it and the others stand in likewise. Draws are independent, so shares hold in the long run and not exactly.
//
// A key that may use the alias may use all of its models under that name; one that may not may still use those of them that
// it is allowed by their own names.

type MayUse = (name: string) => boolean;

export class Targets {
  readonly #aliases: ReadonlyMap<string, Alias>;
  readonly #random: () => number;

  /** `random`: uniform in [0, 1). */
  constructor(aliases: readonly Alias[], random: () => number) {
    this.#aliases = new Map(aliases.map((alias) => [alias.name, alias]));
    this.#random = random;
  }

  /** The models to try for a name, in order and as they are written; none where the caller may use none of them. */
  of(name: string, mayUse: MayUse): readonly string[] {
    const alias = this.#aliases.get(canonicalModel(name));
    if (!alias) return mayUse(name) ? [name] : [];
    const allowed = mayUse(name) ? alias.targets : alias.targets.filter(({ model }) => mayUse(model));
    return (alias.how === 'weighted' ? this.#drawn(allowed) : allowed).map(({ model }) => model);
  }

  /** The longest that a model is waited for while another can stand in, in ms. */
  mostWaitMs(name: string): number {
    return this.#aliases.get(canonicalModel(name))?.waitMs ?? Infinity;
  }

  /** True where the name is one of the operator's or a list's: as many as there are, and fit to be a metric's label. */
  isNamed(snapshot: FleetSnapshot, name: string): boolean {
    const entry = snapshot.models.get(canonicalModel(name));
    return this.#aliases.has(canonicalModel(name)) || (entry !== undefined && entry.isPrefix !== true);
  }

  /** The snapshot as lists show it to a caller: with the aliases of which a model is offered. */
  shown(snapshot: FleetSnapshot): FleetSnapshot {
    if (this.#aliases.size === 0) return snapshot;
    const models = new Map(snapshot.models);
    for (const { name, targets } of this.#aliases.values()) {
      const offered = targets.flatMap(({ model }) => modelOf(snapshot, model) ?? []);
      if (offered.length > 0) models.set(name, aliasModel(name, offered));
      else models.delete(name);
    }
    return { ...snapshot, models };
  }

  #drawn(targets: readonly AliasTarget[]): AliasTarget[] {
    const left = [...targets];
    const order: AliasTarget[] = [];
    while (left.length > 0) {
      let point = this.#random() * left.reduce((sum, { weight }) => sum + weight, 0);
      const at = left.findIndex(({ weight }) => (point -= weight) < 0);
      // Rounding may leave a rest behind the last one.
      order.push(...left.splice(at < 0 ? left.length - 1 : at, 1));
    }
    return order;
  }
}

/** True where a node could take a request for the model now, its slots and what recent answers taught aside. */
export function hasReadyNode(snapshot: FleetSnapshot, name: string): boolean {
  return (modelOf(snapshot, name)?.offers ?? []).some((offer) => {
    const node = snapshot.nodes[offer.node];
    return offer.ready && node?.state === 'ready' && !node.draining;
  });
}

function aliasModel(name: string, offered: readonly ModelSnapshot[]): ModelSnapshot {
  const offers = offered.flatMap((model) => model.offers);
  return { name, offers, firstSeenAt: Math.min(...offered.map(({ firstSeenAt }) => firstSeenAt)) };
}
