import { parseDuration } from '../../config/values/units.ts';
import { exitCodes, Failure } from '../failure.ts';

/** Epoch ms of a moment written as a duration ("30d", turned by `fromNow`) or as a time of ISO 8601. Throws `Failure`. */
export function readMoment(flag: string, written: string, fromNow: (ms: number) => number): number {
  const span = parseDuration(written);
  if (span.ok) return fromNow(span.value);
  const at = /^\d{4}-\d{2}-\d{2}/.test(written) ? Date.parse(written) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new Failure(
    exitCodes.usage,
    `${flag} ${written}: write a duration such as 90m or 7d, or a time such as 2027-01-31T18:00:00Z`,
  );
}
