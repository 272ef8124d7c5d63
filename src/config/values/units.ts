// Durations and sizes as people write them. A bare number is refused for durations, because "30" has meant seconds in
// one program and milliseconds in the next, and a time-out that is wrong by a factor of 1000 is found out too late.
// A bare number is fine for sizes: bytes are what everybody means by it. Sizes count in 1024.

export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export function good<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

const DURATIONS: readonly (readonly [unit: string, ms: number])[] = [
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
];

const SIZES: readonly (readonly [unit: string, bytes: number])[] = [
  ['b', 1],
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
];

/** Reads "30s" (ms, s, m, h, d; fractions such as "1.5s" too) into whole milliseconds. 0 needs no unit. */
export function parseDuration(text: string): Reading<number> {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  if (!match) return bad(`"${text}" is not a duration; write a number and a unit, such as 30s, 500ms, 5m or 1h`);
  const [, digits = '', unit = ''] = match;
  if (unit === '') {
    if (Number(digits) === 0) return good(0);
    return bad(`"${text}" has no unit; write ${digits}s for seconds or ${digits}ms for milliseconds`);
  }
  const ms = DURATIONS.find(([name]) => name === unit.toLowerCase())?.[1];
  if (ms === undefined) return bad(`"${text}" has an unknown unit; the units are ms, s, m, h and d, as in 30s`);
  return good(Math.round(Number(digits) * ms));
}

/** Reads "32mb" (b, kb, mb, gb; also "32m", "32MiB") or a bare number of bytes into bytes. */
export function parseSize(text: string): Reading<number> {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  if (!match) return bad(`"${text}" is not a size; write a number and a unit, such as 32mb, 256kb or 1gb`);
  const [, digits = '', written = ''] = match;
  const unit = written.toLowerCase().replace(/^([kmg])(ib)?$/, '$1b') || 'b';
  const bytes = SIZES.find(([name]) => name === unit)?.[1];
  if (bytes === undefined) return bad(`"${text}" has an unknown unit; the units are b, kb, mb and gb, as in 32mb`);
  const size = Number(digits) * bytes;
  if (!Number.isSafeInteger(size)) return bad(`"${text}" is not a whole number of bytes; write one, such as 32mb`);
  return good(size);
}

/** The shortest exact way to write a duration: 90000 → "90s". */
export function showDuration(ms: number): string {
  return show(ms, DURATIONS, '0s');
}

/** The shortest exact way to write a size: 33554432 → "32mb". */
export function showSize(bytes: number): string {
  return show(bytes, SIZES, '0');
}

function show(amount: number, units: readonly (readonly [string, number])[], zero: string): string {
  if (amount === 0) return zero;
  // Above two minutes whole minutes read well; "90s" and "300s" are what people write for shorter ones.
  const fits = units.filter(([, size]) => amount % size === 0 && (size !== 60_000 || amount / size > 5));
  const [unit, size] = fits.at(-1) ?? ['', 1];
  return `${amount / size}${unit}`;
}
