import { bad, good, parseDuration, parseSize, showDuration, showSize, type Reading } from './units.ts';
import { nearest } from './spelling.ts';

// The kinds of scalar a setting can have. One kind reads all three sources, so all of them hand over text: what YAML
// makes of an unquoted 0123 or 1e3 must not differ from what the same characters mean in a variable or a flag.

/** What a source holds for a scalar setting. */
export type Raw = string | readonly string[];

export interface Kind<T> {
  /** One word for documents and `--help`. */
  readonly name: string;
  /** True if the file may hold a list here. */
  readonly takesList?: true;
  read(raw: Raw): Reading<T>;
  show(value: T): string;
}

/** The longest a timer can run (2^31 - 1 ms, just under 25 days), rounded to what a message can say. */
const LONGEST_MS = 24 * 86_400_000;

export function duration({ minMs, maxMs = LONGEST_MS }: { minMs: number; maxMs?: number }): Kind<number> {
  return {
    name: 'duration',
    read: (raw) => {
      const reading = parseDuration(textOf(raw));
      if (reading.ok && reading.value < minMs)
        return bad(`${textOf(raw)} is too short; write at least ${showDuration(minMs)}`);
      if (reading.ok && reading.value > maxMs)
        return bad(`${textOf(raw)} is too long; write at most ${showDuration(maxMs)}`);
      return reading;
    },
    show: showDuration,
  };
}

export function size({ minBytes, maxBytes }: { minBytes: number; maxBytes: number }): Kind<number> {
  return {
    name: 'size',
    read: (raw) => {
      const reading = parseSize(textOf(raw));
      if (reading.ok && reading.value < minBytes)
        return bad(`${textOf(raw)} is too small; write at least ${showSize(minBytes)}`);
      if (reading.ok && reading.value > maxBytes)
        return bad(`${textOf(raw)} is too large; write at most ${showSize(maxBytes)}`);
      return reading;
    },
    show: showSize,
  };
}

export function count({ min, max }: { min: number; max: number }): Kind<number> {
  return {
    name: 'count',
    read: (raw) => {
      const text = textOf(raw).trim();
      if (!/^-?\d+$/.test(text)) return bad(`"${text}" is not a whole number; write one of at least ${min}`);
      if (Number(text) < min) return bad(`${text} is too small; write at least ${min}`);
      if (Number(text) > max) return bad(`${text} is too large; write at most ${max}`);
      return good(Number(text));
    },
    show: String,
  };
}

/** A number above 0 and at most `max`. */
export function fraction({ max, example }: { max: number; example: string }): Kind<number> {
  return {
    name: 'number',
    read: (raw) => {
      const text = textOf(raw).trim();
      const value = /^-?\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (Number.isNaN(value)) return bad(`"${text}" is not a number; write one such as ${example}`);
      if (value <= 0 || value > max)
        return bad(`${text} is out of range; write a number above 0 and at most ${max}, such as ${example}`);
      return good(value);
    },
    show: String,
  };
}

export const flag: Kind<boolean> = {
  name: 'boolean',
  read: (raw) => {
    const text = textOf(raw).trim().toLowerCase();
    if (text === 'true' || text === '1') return good(true);
    if (text === 'false' || text === '0') return good(false);
    return bad(`"${text}" is neither true nor false; write one of them`);
  },
  show: String,
};

export function choice<const T extends string>(options: readonly T[]): Kind<T> {
  return {
    name: options.join('|'),
    read: (raw) => {
      const text = textOf(raw).trim();
      const found = options.find((option) => option === text);
      if (found !== undefined) return good(found);
      const near = nearest(text, options);
      return bad(
        `"${text}" is not known; ${near ? `did you mean ${near}? Write` : 'write'} one of ${options.join(', ')}`,
      );
    },
    show: String,
  };
}

/** Text of one line, for which `check` may return what is wrong with it. */
export function line(name: string, check?: (text: string) => string | null): Kind<string> {
  return {
    name,
    read: (raw) => {
      const text = textOf(raw);
      if (text === '') return bad('is empty; write a value or remove it');
      const problem = check?.(text) ?? null;
      return problem === null ? good(text) : bad(problem);
    },
    show: (text) => text,
  };
}

/** A secret as it stands in a header: one word. */
export function word(name: string): Kind<string> {
  return line(name, (text) =>
    /^[\x21-\x7e]+$/.test(text)
      ? null
      : 'has spaces or characters beyond ASCII; write one word of letters, digits and signs',
  );
}

/** A value of its own reader, such as an address. */
export function parsed<T>(name: string, parse: (text: string) => Reading<T>, show: (value: T) => string): Kind<T> {
  return { name, read: (raw) => parse(textOf(raw)), show };
}

/** A list; in variables and flags its items are separated by commas. */
export function list(name: string, parse: (text: string) => Reading<string>): Kind<readonly string[]> {
  return {
    name,
    takesList: true,
    read: (raw) => {
      const items = typeof raw === 'string' ? raw.split(',').filter((item) => item.trim() !== '') : raw;
      const values: string[] = [];
      for (const item of items) {
        const reading = parse(item);
        if (!reading.ok) return reading;
        values.push(reading.value);
      }
      return good(values);
    },
    show: (values) => (values.length === 0 ? 'none' : values.join(', ')),
  };
}

/** The same kind where nothing at all may be set. */
export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return {
    name: kind.name,
    read: (raw) => kind.read(raw),
    show: (value) => (value === null ? 'none' : kind.show(value)),
  };
}

function textOf(raw: Raw): string {
  return typeof raw === 'string' ? raw : raw.join(',');
}
