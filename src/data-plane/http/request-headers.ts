// Request headers that decide something before the body is read.

/** False where the body is compressed. */
export function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity';
}

/** True where the client waits for a word before it sends its body (RFC 9110, 10.1.1); other expectations are ignored. */
export function expectsContinue(expect: string | undefined): boolean {
  return expect?.trim().toLowerCase() === '100-continue';
}

/** Ms the client allows to wait, never beyond the configured ones; null where the header makes no sense. */
export function maxWaitOf(header: string | string[] | undefined, configuredMs: number): number | null {
  if (header === undefined) return configuredMs;
  const ms = typeof header === 'string' && /^\d{1,15}$/.test(header.trim()) ? Number(header) : null;
  return ms === null ? null : Math.min(ms, configuredMs);
}
