import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Settings } from '../../fleet/settings.ts';

// Which web pages may use the router from a person's browser (the Fetch standard's CORS protocol): those of the origins that the operator
// named in `cors.origins`, and without any, none. The headers are put on the answer before anybody writes it, so that refusals and
// streams carry them like everything else, and whoever answers need not know.
//
// A page is not trusted with more than a key can do: what it sends is answered as anybody's is, there are no cookies, and so
// `access-control-allow-credentials` is never sent. For the same reason a preflight allows whatever headers the page wants: the
// router knows a few, and the others mean nothing to it. `*` is refused by the configuration where no keys are required
// (config/safety.ts). What this does not protect against: a named origin whose page is taken over.

/** Marks an answer for the page that asked; called before it is written. */
export type CrossOrigin = (request: IncomingMessage, response: ServerResponse) => void;

const EVERY = '*';
/** RFC 9110, 5.6.2: names of fields between commas. */
const FIELD_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/;
/** As long as browsers remember a preflight at most. */
const MAX_AGE_SECONDS = '7200';

/** The marks for these origins; null where none is named. */
export function crossOrigin({ origins }: Settings['cors']): CrossOrigin | null {
  if (origins.length === 0) return null;
  const isForEvery = origins.includes(EVERY);
  return (request, response) => {
    const { origin } = request.headers;
    // Whoever caches an answer keeps one for each origin, and one for none.
    if (!isForEvery) response.setHeader('vary', 'Origin');
    if (origin === undefined || !(isForEvery || origins.includes(origin))) return;
    response.setHeader('access-control-allow-origin', isForEvery ? EVERY : origin);
    response.setHeader('access-control-expose-headers', EVERY);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined)
      allow(request, response);
  };
}

function allow({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-methods', 'GET, HEAD, POST');
  const wanted = headers['access-control-request-headers'];
  if (wanted !== undefined && FIELD_NAMES.test(wanted)) response.setHeader('access-control-allow-headers', wanted);
  // Of a page on the internet that asks a router on this machine or in its network.
  if (headers['access-control-request-private-network'] === 'true')
    response.setHeader('access-control-allow-private-network', 'true');
  response.setHeader('access-control-max-age', MAX_AGE_SECONDS);
}
