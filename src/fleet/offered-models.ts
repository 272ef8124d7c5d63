import { canonicalModel, prefixOf, providerNames } from './glossary.ts';
import type { FleetSnapshot, ModelSnapshot } from './snapshot.ts';

// A provider serves whatever name follows its prefix, so its models cannot all be in a map. The snapshot has one entry for the prefix, and
// everything that is counted by model (waiters, candidates, leases) is counted there: names that a client invents grow nothing. Models
// that the operator lists of a provider have entries of their own, as every other node's.

/** No model is called so. */
const NOBODYS = '';

/** The key in `snapshot.models` under which a model of this name is placed: its own name, or the prefix of its provider. */
export function placedAs(snapshot: FleetSnapshot, name: string): string {
  const model = canonicalModel(name);
  const entry = snapshot.models.get(model);
  // A prefix alone is no model's name.
  if (entry) return entry.isPrefix === true ? NOBODYS : model;
  const prefix = prefixIn(model);
  return prefix !== null && snapshot.models.has(prefix) ? prefix : model;
}

/** What is known of a model of this name; undefined where nobody offers it. */
export function modelOf(snapshot: FleetSnapshot, name: string): ModelSnapshot | undefined {
  return snapshot.models.get(placedAs(snapshot, name));
}

/** The models that lists show. */
export function listedModels(snapshot: FleetSnapshot): ModelSnapshot[] {
  return Array.from(snapshot.models.values()).filter(({ isPrefix }) => isPrefix !== true);
}

/** The provider's prefix that a name begins with and something follows; null for other names. */
export function prefixIn(name: string): string | null {
  for (const provider of providerNames) {
    const prefix = prefixOf(provider);
    if (name.startsWith(prefix) && name.length > prefix.length) return prefix;
  }
  return null;
}

/** What the provider calls the model; `offered` where the name has no prefix that stands for its models. */
export function upstreamName(name: string, offered: string): string {
  const prefix = offered === '' ? prefixIn(name) : null;
  return prefix === null ? offered : name.slice(prefix.length);
}
