import type { Json, Untranslatable } from './translation.ts';

// What the translations of Ollama's calls share in reading JSON that nobody has checked. What cannot be said is gathered while a call is
// built, so that the building reads straight down; the first of it is what the client is told.

/** What of a call cannot be said. */
export type Faults = Untranslatable[];

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list as it is; empty for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text as it is; empty for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** True for what Ollama's clients send where they have nothing to say. */
export function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** The text of a field that must hold one; empty where it is unset, or with a fault where it is something else. */
export function textField(call: Json, name: string, faults: Faults, place = ''): string {
  const value = call[name];
  if (typeof value === 'string' || isUnset(value)) return textOf(value);
  faults.push({ field: place + name, message: `${place}${name} must be a text.` });
  return '';
}

/** Faults for each field that is set and has no known meaning. */
export function refuseOthers(call: Json, known: ReadonlySet<string>, faults: Faults, place = ''): void {
  for (const [name, value] of Object.entries(call)) {
    if (!known.has(name) && !isUnset(value)) faults.push(unsayable(place + name));
  }
}

/** A fault for each of these fields that is set. */
export function refuse(call: Json, names: readonly string[], why: string, faults: Faults): void {
  for (const name of names) {
    const value = call[name];
    if (!isUnset(value) && value !== false) faults.push(unsayable(name, why));
  }
}

function unsayable(field: string, why = 'it has no meaning there'): Untranslatable {
  const message = `The nodes of this model are not Ollama's, and ${field} cannot be said to them: ${why}. Leave it out.`;
  return { field, message };
}
