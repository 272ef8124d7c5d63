import { bad, good, type Reading } from './units.ts';

/** Reads the origin of a web page as browsers write it (RFC 6454, section 6.2), or `*`. */
export function parseOrigin(text: string): Reading<string> {
  const written = text.trim();
  if (written === '*') return good(written);
  const example = 'write scheme, host and port alone, such as https://chat.example or http://localhost:3000';
  if (!URL.canParse(written)) return bad(`"${text}" is not the origin of a web page; ${example}`);
  // Extensions of browsers and desktop shells have schemes of their own, for which URL knows no origin.
  const { protocol, host, origin } = new URL(written);
  const meant = origin === 'null' ? `${protocol}//${host}` : origin;
  if (host === '' || host.includes('*')) return bad(`"${text}" is not the origin of a web page; ${example}`);
  return written === meant
    ? good(meant)
    : bad(`"${text}" is more than an origin, or not written as browsers do; write ${meant}`);
}
