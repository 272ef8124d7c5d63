import { BlockList, isIP } from 'node:net';
import type { Address } from '../../fleet/settings.ts';
import { authority } from '../../lib/listening.ts';
import { bad, good, type Reading } from './units.ts';

// Addresses to listen on, and whether they are loopback. Only 127.0.0.0/8, ::1 (also as ::ffff:127.…) and the name
// `localhost` count: any other name may resolve to anything tomorrow, and what is decided here is whether strangers
// can reach the router.

/** Reads "HOST:PORT" with an IPv4 address, a host name or an IPv6 address in brackets. Port 0 means any free one. */
export function parseAddress(text: string): Reading<Address> {
  const written = text.trim();
  if (/^\w+:\/\//.test(written)) return bad(`"${text}" is a URL; write only HOST:PORT, such as 127.0.0.1:9347`);
  if (/^\d+$/.test(written)) return bad(`"${text}" has no host; write 127.0.0.1:${written}`);
  if (/^:\d+$/.test(written))
    return bad(`"${text}" has no host; write 127.0.0.1${written}, or 0.0.0.0${written} for every address`);
  const match = /^(?:\[([^\]]*)\]|([^:[\]\s/]+))(?::(.*))?$/.exec(written);
  if (!match) {
    if (isIP(written) === 6)
      return bad(`"${text}" has no port; write an IPv6 address in brackets, such as "[${written}]:9347"`);
    return bad(`"${text}" is not an address; write HOST:PORT, such as 127.0.0.1:9347 or "[::1]:9347"`);
  }
  const [, bracketed, plain, port] = match;
  if (port === undefined || port === '')
    return bad(`"${text}" has no port; write HOST:PORT, such as ${plain ?? `[${bracketed}]`}:9347`);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    return bad(`"${text}" has an impossible port; write one from 0 (any free one) to 65535`);
  }
  if (bracketed !== undefined && isIP(bracketed) !== 6) {
    return bad(`"${text}" has no IPv6 address in its brackets; write one such as "[::1]:9347"`);
  }
  if (plain !== undefined && /^[\d.]+$/.test(plain) && isIP(plain) !== 4) {
    return bad(`"${text}" has an impossible IPv4 address; write one such as 127.0.0.1:9347`);
  }
  return good({ host: bracketed ?? plain ?? '', port: Number(port) });
}

export function showAddress({ host, port }: Address): string {
  return authority(host, port);
}

/** True if only this machine can reach the host. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === 'localhost';
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  // BlockList also matches IPv4-mapped IPv6 addresses against IPv4 rules.
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** Reads an IP address or a CIDR range such as 10.0.0.0/8; returns it as written. */
export function parseRange(text: string): Reading<string> {
  const [address = '', prefix, rest] = text.trim().split('/');
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest);
  if (version === 0 || !isPrefix || rest !== undefined) {
    return bad(`"${text}" is not an address or range; write one such as 10.0.0.7 or 10.0.0.0/8`);
  }
  return good(text.trim());
}
