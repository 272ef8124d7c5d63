/** A number as tools write it, times `scale`; null for what is none, such as `[N/A]`. */
export function amountOf(written: unknown, scale = 1): number | null {
  const text = typeof written === 'number' ? String(written) : typeof written === 'string' ? written.trim() : '';
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * scale : null;
}
