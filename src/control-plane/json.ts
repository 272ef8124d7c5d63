// Reading fields out of answers that may be anything at all.

/** A field of an object, undefined for everything else. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

export function textField(value: unknown, name: string): string | null {
  const found = field(value, name);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** A finite number of at least 0, else null. */
export function numberField(value: unknown, name: string): number | null {
  const found = field(value, name);
  return typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : null;
}

/** A whole number of at least 1, else null. */
export function countField(value: unknown, name: string): number | null {
  const found = numberField(value, name);
  return found !== null && Number.isInteger(found) && found >= 1 ? found : null;
}

export function listField(value: unknown, name: string): readonly unknown[] | null {
  const found = field(value, name);
  return Array.isArray(found) ? found : null;
}
