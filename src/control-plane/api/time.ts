/** Epoch milliseconds from what was written: those, or a date of ISO 8601. Null for neither. */
export function readTime(written: string): number | null {
  const at = /^\d{9,}$/.test(written) ? Number(written) : Date.parse(written);
  return Number.isSafeInteger(at) ? at : null;
}
