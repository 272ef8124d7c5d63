/** Set by the router for every request to a node; a fixed value would break or forge them. In lower case. */
const ownHeaders: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'expect',
]);

/** True for a header that no node's settings may hold, however it is written. */
export function isOwnHeader(name: string): boolean {
  return ownHeaders.has(name.toLowerCase());
}
