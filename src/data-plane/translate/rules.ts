import type { Json, Untranslatable } from './translation.ts';

// How a call is taken apart: field by field, by a table that says what becomes of each. What no table names is refused by its
// name, so that a field which appears in an API after this was written is an error that somebody sees, and not a setting that
// has no effect. Reading goes on after a first objection, and only that one is told: a client mends one thing at a time anyway.

/** What cannot be said in another dialect, as it is found. */
export class Objections {
  readonly #from: string;
  readonly #to: string;
  #first: Untranslatable | null = null;

  /** Between two endpoints, named as clients know them. */
  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
  }

  /** The first one raised. */
  get first(): Untranslatable | null {
    return this.#first;
  }

  /** The field has no like in the other dialect. `why` is a clause, without a full stop. */
  unsayable(field: string, why = 'it has no counterpart there'): void {
    const where = `${this.#to}, which is all that this model's nodes speak`;
    this.#raise(
      field,
      `${field} cannot be told in ${where}: ${why}. Leave it out, or use a node that speaks ${this.#from}.`,
    );
  }

  /** The field is not what the client's own dialect has it be. `expected` completes "must be …". */
  malformed(field: string, expected: string): void {
    this.#raise(field, `${field} must be ${expected}.`);
  }

  #raise(field: string, message: string): void {
    this.#first ??= { field, message };
  }
}

/** A call in the making. */
export interface Draft {
  readonly call: Record<string, unknown>;
  readonly objections: Objections;
}

/** What becomes of one field. Never called with what says nothing (`isUnset`). */
export type FieldRule = (value: unknown, field: string, draft: Draft) => void;

export type FieldRules = Readonly<Record<string, FieldRule>>;

/** Told under the same name. */
export const passes: FieldRule = (value, field, { call }) => {
  call[field] = value;
};

/** Means nothing there, or is read elsewhere. Each use is told in docs/dialects.md. */
export const ignored: FieldRule = () => undefined;

/** Told under another name, or under each of several where engines do not agree on one. */
export function renamed(...names: readonly string[]): FieldRule {
  return (value, _field, { call }) => {
    for (const name of names) call[name] = value;
  };
}

/** Never told. `why` is a clause, without a full stop. */
export function refused(why: string): FieldRule {
  return (_value, field, { objections }) => objections.unsayable(field, why);
}

/** An object whose fields have rules of their own. */
export function nested(rules: FieldRules): FieldRule {
  return (value, field, draft) => {
    const object = objectOf(value);
    if (object) applyRules(object, rules, draft, `${field}.`);
    else draft.objections.malformed(field, 'an object');
  };
}

/** Only where it asks for nothing: one of these values, or an empty list or object. */
export function emptyOr(...values: readonly unknown[]): FieldRule {
  return (value, field, { objections }) => {
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (!isEmpty && !values.includes(value)) objections.unsayable(field);
  };
}

/** Applies the rules to an object's fields; one without a rule is an objection. `path` ends in a dot, or is empty for the call itself. */
function applyRules(object: Json, rules: FieldRules, draft: Draft, path = ''): void {
  for (const [field, value] of Object.entries(object)) {
    if (isUnset(value)) continue;
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    if (rule) rule(value, path + field, draft);
    else draft.objections.unsayable(path + field);
  }
}

/** A call by its rules, told between two endpoints that are named as clients know them. */
export function drafted(asked: Json, rules: FieldRules, from: string, to: string): Draft {
  const draft: Draft = { call: {}, objections: new Objections(from, to) };
  applyRules(asked, rules, draft);
  return draft;
}

/** Objects to the first field of a part that is not among the known ones. */
export function knowsOnly(part: Json, path: string, known: ReadonlySet<string>, objections: Objections): void {
  for (const [field, value] of Object.entries(part)) {
    if (!isUnset(value) && !known.has(field)) objections.unsayable(`${path}.${field}`);
  }
}

/** True for what clients of all dialects send where they have nothing to say. */
export function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** The value where it is an object, else null. */
export function objectOf(value: unknown): Json | null {
  return isObject(value) ? value : null;
}

/** The objects of a list; an objection for anything else. */
export function objectsOf(value: unknown, path: string, objections: Objections): [Json, string][] {
  if (!Array.isArray(value)) {
    objections.malformed(path, 'a list of objects');
    return [];
  }
  return value.flatMap((item: unknown, index): [Json, string][] => {
    if (isObject(item)) return [[item, `${path}[${index}]`]];
    objections.malformed(`${path}[${index}]`, 'an object');
    return [];
  });
}

/** The text; `''` for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The text; an objection for anything else. */
export function requiredText(value: unknown, path: string, objections: Objections): string {
  if (typeof value !== 'string') objections.malformed(path, 'a string');
  return textOf(value);
}

/** The text; `''` where it is unset, and with an objection for anything else. */
export function optionalText(value: unknown, path: string, objections: Objections): string {
  return isUnset(value) ? '' : requiredText(value, path, objections);
}

/** The number of tokens where it is one, else null. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
