import { errors } from '../../fleet/errors.ts';
import type { Route } from './call.ts';

// What the contract names and is not built yet. It answers 501 so that a client can tell it from a wrong path.

export function plannedRoutes(): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/dashboard',
      answer: () => ({
        status: errors.not_implemented.status,
        body: '<!doctype html><title>Weir</title><p>The dashboard is planned and not built yet.</p>\n',
        headers: { 'content-type': 'text/html; charset=utf-8' },
      }),
    },
  ];
}
