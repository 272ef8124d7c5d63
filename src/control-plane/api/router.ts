import { ApiError, type Method, notFound, type Route } from './call.ts';

// Which route answers a path: segments are compared one by one, `:name` takes any. First match in table order wins.

export interface Matched {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Throws `ApiError`: 404 for an unknown path, 405 with `Allow` for a method it does not take. */
export function matchRoute(routes: readonly Route[], method: string, path: string): Matched {
  const allowed = new Set<Method>();
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (!params) continue;
    if (route.method === method) return { route, params };
    allowed.add(route.method);
  }
  if (allowed.size === 0) throw notFound(`There is no ${path} here. The admin API's resources are under /api.`);
  const allow = [...allowed].join(', ');
  throw new ApiError(405, 'method_not_allowed', `${path} takes ${allow}, not ${method}.`, { allow });
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const value = given[at] ?? '';
    if (!segment.startsWith(':')) {
      if (segment !== value) return null;
      continue;
    }
    const decoded = decode(value);
    if (decoded === null || decoded === '') return null;
    params[segment.slice(1)] = decoded;
  }
  return params;
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
