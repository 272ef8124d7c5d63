import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

// A router on loopback that asks for no keys must not be reachable from a web page the operator happens to visit. Two ways
// lead there: a page of another origin posts to it, which the `Origin` header shows, or a page's own host name is rebound to
// 127.0.0.1 (DNS rebinding), which the `Host` header shows.

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for `localhost` (and names under it) and addresses of the loopback range; brackets around IPv6 are allowed. */
export function isLoopback(host: string): boolean {
  const name = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const family = isIP(name);
  if (family === 4) return loopback.check(name, 'ipv4');
  if (family === 6) return loopback.check(name, 'ipv6');
  const lower = name.toLowerCase();
  return lower === 'localhost' || lower.endsWith('.localhost');
}

/** True where neither `Host` nor `Origin` speaks of a foreign web page; pages of `allowed` origins are not foreign. */
export function isSameOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { host, origin } = request.headers;
  if (host === undefined || !isLoopback(host.replace(/:\d*$/, ''))) return false;
  if (origin === undefined || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
