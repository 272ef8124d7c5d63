// The field lines of a head or of a trailer section (RFC 9112, 5). White space before a colon is refused: some readers drop it,
// others take it for a part of the name, and `Content-Length : 5` must not be two things to two readers.

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const SPACE = 0x20;
const TAB = 0x09;

/** Names as engines write them, so that the usual ones need neither a look at each letter nor a copy. */
const usual: ReadonlyMap<string, string> = new Map(
  [
    'Access-Control-Allow-Origin',
    'Cache-Control',
    'Connection',
    'Content-Encoding',
    'Content-Length',
    'Content-Type',
    'Date',
    'Keep-Alive',
    'Retry-After',
    'Server',
    'Transfer-Encoding',
    'Vary',
    'X-Accel-Buffering',
    'X-Request-Id',
  ].flatMap((name) => [[name, name.toLowerCase()] as const, [name.toLowerCase(), name.toLowerCase()] as const]),
);

/** Names in lower case; a name that came more than once has its values in a list. A string says why these are no fields. */
export function readFields(text: string, from: number): Record<string, string | string[] | undefined> | string {
  const fields: Record<string, string | string[] | undefined> = {};
  let start = from;
  for (;;) {
    const end = text.indexOf('\r\n', start);
    // The empty line: `HeadBytes` found it, so it is there.
    if (end <= start) return fields;
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon > end) return 'a header line without a colon';
    const written = text.slice(start, colon);
    const name = usual.get(written) ?? (TOKEN.test(written) ? written.toLowerCase() : null);
    if (name === null) return 'a header line without a name';
    const value = trimmed(text, colon + 1, end);
    const before = fields[name];
    if (typeof before === 'string') fields[name] = [before, value];
    else if (Array.isArray(before)) before.push(value);
    else fields[name] = value;
    start = end + 2;
  }
}

/** An option or a name as it is compared. */
export function fieldName(value: string): string {
  return value.trim().toLowerCase();
}

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
