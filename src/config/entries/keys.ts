import { createHash } from 'node:crypto';
import { priorities } from '../../fleet/glossary.ts';
import type { KeySettings } from '../../fleet/settings.ts';
import type { SourceFile } from '../sources/tree.ts';
import type { Problems } from '../problems.ts';
import { lookUp, MASK, type InForce } from '../resolve.ts';
import { choice, count, duration, flag, fraction, line, parsed, word } from '../values/kinds.ts';
import { bad, good, type Reading, showDuration } from '../values/units.ts';
import { entriesOf, type Fields } from './fields.ts';

// Keys declared in the file. Only a key's SHA-256 leaves this file; `hash` lets a configuration do without the key.
// One round of SHA-256 is enough for keys drawn at random and no protection for a key somebody made up, which is why a
// short one earns a warning.

const FIELDS = [
  'label',
  'key',
  'hash',
  'expiresAt',
  'models',
  'weight',
  'maxConcurrent',
  'ratePerMinute',
  'maxPriority',
  'maxDeadline',
  'mayManage',
  'resume',
] as const;
const SHORT_KEY = 16;

const secret = word('key');
const hash = line('hash', (text) =>
  /^[0-9a-f]{64}$/i.test(text)
    ? null
    : 'is not a SHA-256; write 64 hex digits, as printed by: printf %s KEY | sha256sum',
);
const time = parsed('time', readTime, (ms) => new Date(ms).toISOString());

export interface DeclaredKeys {
  readonly keys: readonly KeySettings[];
  readonly warnings: readonly string[];
}

/** Reads the file's `auth.keys`. */
export function readKeys(file: SourceFile, problems: Problems, inForce: InForce[]): DeclaredKeys {
  const keys: KeySettings[] = [];
  const warnings: string[] = [];
  for (const fields of entriesOf(lookUp(file, 'auth.keys'), 'auth.keys', FIELDS, file.name, problems)) {
    const key = readKey(fields, warnings);
    if (key === null) continue;
    const twin = keys.find((other) => other.label === key.label || other.hash === key.hash);
    if (twin) {
      const what =
        twin.label === key.label ? `the label "${key.label}" is taken` : `it is the same key as "${twin.label}"`;
      fields.problem(null, `${what}; every key needs its own`);
    }
    keys.push(key);
    inForce.push({ path: `auth.keys.${key.label}`, shown: describe(key), origin: `file:${fields.line}` });
  }
  return { keys, warnings };
}

function readKey(fields: Fields, warnings: string[]): KeySettings | null {
  const label = fields.scalar(
    'label',
    line('label', (text) => (text.length <= 100 ? null : 'is too long; write at most 100 characters')),
  );
  const key = fields.scalar('key', secret);
  const digest = fields.scalar('hash', hash)?.toLowerCase();
  const expiresAt = fields.scalar('expiresAt', time) ?? null;
  const models = fields.list('models', line('model')) ?? null;
  const weight = fields.scalar('weight', fraction({ max: 1000, example: '2' })) ?? 1;
  const maxConcurrent = fields.scalar('maxConcurrent', count({ min: 1, max: 1_000_000 })) ?? null;
  const ratePerMinute = fields.scalar('ratePerMinute', count({ min: 1, max: 100_000_000 })) ?? null;
  const maxPriority = fields.scalar('maxPriority', choice(priorities)) ?? 'normal';
  const maxDeadlineMs = fields.scalar('maxDeadline', duration({ minMs: 1 })) ?? null;
  const mayManage = fields.scalar('mayManage', flag) ?? false;
  const resume = fields.scalar('resume', flag) ?? true;
  if (!fields.has('label')) fields.problem(null, 'has no label; write one, such as label: team-a');
  if (fields.has('key') === fields.has('hash')) {
    fields.problem(null, 'needs either key or hash; write key: "${NAME}" to take it from the environment');
  }
  const sum = digest ?? (key === undefined ? undefined : createHash('sha256').update(key).digest('hex'));
  if (label === undefined || sum === undefined) return null;
  if (key !== undefined && key.length < SHORT_KEY) {
    warnings.push(`the key "${label}" is short and can be guessed; use one of at least ${SHORT_KEY} random characters`);
  }
  const limits = { expiresAt, models, weight, maxConcurrent, ratePerMinute, maxPriority, maxDeadlineMs };
  return { label, hash: sum, ...limits, mayManage, resume };
}

function readTime(text: string): Reading<number> {
  const ms = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(ms)
    ? bad(`"${text}" is not a time; write one such as 2027-01-31 or 2027-01-31T18:00:00Z`)
    : good(ms);
}

function describe(key: KeySettings): string {
  const { expiresAt, models, weight, maxConcurrent, ratePerMinute, maxPriority, maxDeadlineMs, mayManage, resume } =
    key;
  const parts = [MASK, `weight ${weight}`];
  if (expiresAt !== null) parts.push(`until ${new Date(expiresAt).toISOString()}`);
  if (models !== null) parts.push(`models ${models.join(', ')}`);
  if (maxConcurrent !== null) parts.push(`maxConcurrent ${maxConcurrent}`);
  if (ratePerMinute !== null) parts.push(`ratePerMinute ${ratePerMinute}`);
  if (maxPriority !== 'normal') parts.push(`maxPriority ${maxPriority}`);
  if (maxDeadlineMs !== null) parts.push(`maxDeadline ${showDuration(maxDeadlineMs)}`);
  if (mayManage) parts.push('mayManage');
  if (!resume) parts.push('resume off');
  return parts.join('; ');
}
