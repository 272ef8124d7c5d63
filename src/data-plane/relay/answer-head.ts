import type { ResponseHeaders } from '../../http-client/exchange.ts';

// Which of a node's headers a client sees. Everything else an engine or a proxy before it adds (`server`, `via`, cookies,
// `x-…`) may tell which node answered. The values of those that cross are cut down to what the standard defines, since a
// parameter or an extension can carry a name as well as a header of its own can.

const MEDIA_TYPE = /^\s*([a-z]{1,20}\/[a-z0-9.+-]{1,60})\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*("?)(utf-?8|us-ascii|iso-8859-1)\1\s*(?:;|$)/i;
const CACHE_DIRECTIVE =
  /^(?:no-cache|no-store|no-transform|must-revalidate|proxy-revalidate|must-understand|private|public|immutable|(?:s-maxage|max-age|stale-while-revalidate|stale-if-error)=\d{1,10})$/i;
const CODINGS = /^(?:identity|gzip|deflate|br|zstd)$/i;

/** Adds those of a node's headers that cross: name, value, … Without the content's length, which is the relay's to know. */
export function addCrossingHeaders(headers: ResponseHeaders, crossing: string[]): void {
  const type = contentType(textOf(headers['content-type']));
  if (type !== '') crossing.push('content-type', type);
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && CODINGS.test(textOf(encoding).trim())) {
    crossing.push('content-encoding', textOf(encoding).trim());
  }
  if (headers['cache-control'] === undefined) return;
  const cache = textOf(headers['cache-control'])
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => CACHE_DIRECTIVE.test(directive));
  if (cache.length > 0) crossing.push('cache-control', cache.join(', '));
}

/** The header's value as one text; empty where there is none. */
export function textOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(', ') : (header ?? '');
}

function contentType(value: string): string {
  // What engines send nearly always.
  if (value === 'application/json' || value === 'text/event-stream') return value;
  const media = MEDIA_TYPE.exec(value)?.[1];
  if (media === undefined) return '';
  const charset = CHARSET.exec(value)?.[2];
  return charset === undefined ? media : `${media}; charset=${charset}`;
}
