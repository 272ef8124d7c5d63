import { bad, good, type Reading } from '../values/units.ts';

// What a node may be called and where it may be. Names appear in paths of the admin API, in metrics and in log lines,
// so spaces and slashes are out.

export function checkName(text: string): string | null {
  if (!/^[\x21-\x7e]{1,100}$/.test(text))
    return `"${text}" is not a usable name; write 1 to 100 letters, digits or signs, no spaces`;
  return /[/\\]/.test(text) ? `"${text}" has a slash; write a name without one` : null;
}

/** Accepts http and https URLs without credentials, query and fragment, and returns them as written. */
export function readNodeUrl(text: string): Reading<string> {
  const written = text.trim();
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(written)) {
    return bad(
      `"${withoutCredentials(text)}" is not a URL; write it with http:// or https://, such as http://${isHostLike(written) ? written : '10.0.0.5:8000'}`,
    );
  }
  if (!URL.canParse(written))
    return bad(`"${withoutCredentials(text)}" is not a URL; write one such as http://10.0.0.5:8000`);
  const url = new URL(written);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return bad(`"${withoutCredentials(text)}" has the scheme ${url.protocol.slice(0, -1)}; write http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') {
    return bad(
      'has a user or password in it, which ends up in logs; write the key as apiKey, or an authorization header under headers',
    );
  }
  if (url.search !== '' || url.hash !== '')
    return bad(`"${text}" has a query or fragment; write only scheme, host, port and path`);
  return good(written);
}

/** A name for a node that was given without one, from its host and port: http://10.0.0.5:8000 → 10.0.0.5-8000. */
export function deriveName(url: string, taken: ReadonlySet<string>): string {
  const stem = new URL(url).host.replace(/^\[(.*)\]/, '$1').replace(/:(\d+)$/, '-$1');
  for (let number = 1; ; number++) {
    const name = number === 1 ? stem : `${stem}-${number}`;
    if (!taken.has(name)) return name;
  }
}

function isHostLike(text: string): boolean {
  return /^[\w.-]+(:\d+)?(\/[\w./-]*)?$/.test(text) && text !== '';
}

function withoutCredentials(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/@]*@/i, '$1…@');
}
