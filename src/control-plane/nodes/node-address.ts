// Where a node is, from the URL an operator wrote. It may end in `/v1`, as OpenAI clients want it, or lie under a base
// path; the router appends `/v1/…` or an engine's own paths itself.

export interface NodeAddress {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Without a trailing slash and without `/v1`; empty for none. */
  readonly basePath: string;
  readonly baseUrl: string;
  /** Set where it is dialled at a Unix socket in place of host and port. */
  readonly socketPath?: string;
}

/** Why a node's `url` cannot be used, with what to write instead. */
export class NodeUrlError extends Error {
  override readonly name = 'NodeUrlError';
}

/** Throws `NodeUrlError`. */
export function readNodeUrl(written: string): NodeAddress {
  const url = URL.parse(written.trim());
  if (!url || url.hostname === '') {
    throw new NodeUrlError('is not a URL. Write it like http://127.0.0.1:11434.');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new NodeUrlError(`must begin with http:// or https://, not ${url.protocol}//.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new NodeUrlError(
      'must not contain a user name or password. Put the key into apiKey, or a header into headers.',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new NodeUrlError('must not contain "?" or "#". Write only scheme, host, port and base path.');
  }
  const basePath = url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '');
  return { origin: url.origin, basePath, baseUrl: url.origin + basePath };
}

/** One name for the ways to write this machine's loopback, so that one engine is not found twice. */
export function sameMachineUrl(baseUrl: string): string {
  return baseUrl.replace(
    /^(https?:\/\/)(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::\])(?=[:/]|$)/,
    '$1127.0.0.1',
  );
}
