import { BlockList, isIP, isIPv6 } from 'node:net';

// Where a request without a key comes from. An IPv6 host usually has a whole /64 to choose from, so the /64 is the caller. A
// proxy's `X-Forwarded-For` is believed only from the addresses the operator trusts: anybody can write that header.

/** Addresses or CIDR ranges, as settings have checked them. */
export function proxyList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** The caller's address: of the peer, or behind trusted proxies the last one that none of them could have invented. */
export function callerAddress(peer: string, forwardedFor: string | undefined, trusted: BlockList): string {
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  const direct = plain(peer);
  if (forwardedFor === undefined || !isTrusted(direct)) return network(direct);
  const hops = forwardedFor.split(',').map((hop) => plain(hop.trim()));
  const last = hops.findLast((hop) => !isTrusted(hop));
  return network(last !== undefined && isIP(last) !== 0 ? last : direct);
}

/** IPv4 without the wrapping an IPv6 socket gives it; no port, brackets or zone. */
function plain(address: string): string {
  const bare = /^\[([^\]]*)\]/.exec(address)?.[1] ?? address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  const unwrapped = bare.toLowerCase().startsWith('::ffff:') ? bare.slice('::ffff:'.length) : bare;
  return isIP(unwrapped) === 0 ? bare.replace(/%.*$/, '') : unwrapped.replace(/%.*$/, '');
}

/** An IPv4 address as it is, an IPv6 address as its /64. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  // URL parsing writes an address in its one canonical form.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
