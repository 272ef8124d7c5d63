import { errorMessageOf } from '../../lib/error-message.ts';

/** The sentence for people in an error object lying in [start, end), or null. */
export function errorMessageIn(bytes: Buffer, start: number, end: number): string | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', start, end));
    const response: unknown =
      typeof value === 'object' && value !== null && 'response' in value ? value.response : undefined;
    return errorMessageOf(value) ?? errorMessageOf(response);
  } catch {
    return null;
  }
}
