import { isIPv4, isIPv6 } from 'node:net';

// The spellings under which one node's address and name may turn up in a message, as regular expressions. Each is written
// so that it cannot take more than linear time, since a node chooses the text it is run on.

const REGEXP_SIGNS = /[\\^$.*+?()[\]{}|/]/g;
/** Names this long, or half as long with letters and other signs in them, stand for nothing else. */
const TELLING_LENGTH = 8;
const TELLING_MIX = /^(?=.*\p{L})(?=.*[^\p{L}]).{4,}$/u;
/** Shorter encoded pieces would match by chance. */
const TELLING_ENCODED_LENGTH = 8;

export interface NodeWords {
  /** The node's host, with its port where it follows. */
  readonly address: RegExp;
  /** Its port where the text says that it is one. */
  readonly port: RegExp | null;
  readonly name: RegExp | null;
  /** Base64 and hex words that hold host, host:port or name; null where all are too short to tell. */
  readonly base64: RegExp | null;
  readonly hex: RegExp | null;
}

export function nodeWords(baseUrl: string, name: string | null): NodeWords {
  const url = new URL(baseUrl);
  const bare = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  // A node reached as localhost knows itself by the address it was reached at.
  const resolved = bare.toLowerCase() === 'localhost' ? ['127.0.0.1', '::1'] : [];
  const hosts = new Set([bare, ...writtenHost(baseUrl), ...resolved, ...(isIPv6(bare) ? spelledOut(bare) : [])]);
  const encodable = name === null ? [] : [name];
  for (const host of hosts) {
    encodable.push(host, `${host}:${port}`, `[${host}]:${port}`);
  }
  return {
    address: new RegExp(`(?:${[...hosts].map((host) => asHost(host)).join('|')})(?:(?::|%3a)${port}(?!\\d))?`, 'giu'),
    port: url.port
      ? new RegExp(
          `\\bport\\b["'\\s:=#]{0,4}${port}(?!\\d)|(?<![\\p{L}\\p{N}]):${port}(?!\\d)|(?<![\\w.-])(?:localhost|[\\w-]+\\.[\\w.-]+):${port}(?!\\d)`,
          'giu',
        )
      : null,
    name: name === null ? null : new RegExp(asWord(name), 'giu'),
    base64: anyWordHolding(encodable.flatMap(base64Cores), 'A-Za-z0-9+/=_-', ''),
    hex: anyWordHolding(
      encodable.map((text) => Buffer.from(text).toString('hex')),
      'A-Fa-f0-9',
      'i',
    ),
  };
}

/** The host as the operator wrote it, which URL parsing may have changed (case, IPv6 groups, punycode). */
function writtenHost(baseUrl: string): string[] {
  const written = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?(?:\[([^\]]+)\]|([^/:?#]+))/i.exec(baseUrl);
  const host = written?.[1] ?? written?.[2];
  return host ? [host] : [];
}

/** An IPv6 address with all its groups, without and with leading zeros. */
function spelledOut(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  const groups = [...first, ...zeros, ...last];
  return [groups.join(':'), groups.map((group) => group.padStart(4, '0')).join(':')];
}

function escaped(text: string): string {
  return text.replace(REGEXP_SIGNS, String.raw`\$&`);
}

function asHost(host: string): string {
  if (isIPv6(host)) return `\\[?(?<![\\da-f:])${escaped(host)}(?![\\da-f])\\]?`;
  if (isIPv4(host)) return `(?<!\\d)${escaped(host)}(?!\\d)`;
  return asWord(host);
}

/** A telling name is replaced inside longer words too; another must stand alone, else a node named "a" spoils every sentence. */
function asWord(name: string): string {
  const word = escaped(name);
  if (name.length >= TELLING_LENGTH || TELLING_MIX.test(name)) return word;
  return `(?<![\\p{L}\\p{N}_])${word}(?![\\p{L}\\p{N}_])`;
}

/** What base64 makes of `text` wherever it begins inside the encoded bytes, less the letters its neighbours decide. */
function base64Cores(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64url');
    const decidedByLast = (offset + bytes.length) % 3 === 0 ? 0 : 1;
    const core = encoded.slice(Math.ceil((offset * 4) / 3), encoded.length - decidedByLast);
    return [core, core.replaceAll('-', '+').replaceAll('_', '/')];
  });
}

function anyWordHolding(pieces: readonly string[], letters: string, flags: string): RegExp | null {
  const telling = [...new Set(pieces)].filter((piece) => piece.length >= TELLING_ENCODED_LENGTH);
  if (telling.length === 0) return null;
  const any = telling.map((piece) => piece.replace(/[+/]/g, String.raw`\$&`)).join('|');
  return new RegExp(`(?<![${letters}])[${letters}]*?(?:${any})[${letters}]*`, `g${flags}`);
}
