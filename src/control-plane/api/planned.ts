import { errors } from '../../fleet/errors.ts';
import { ApiError, type Method, type Route } from './call.ts';

// Endpoints of the contract that are not built yet. They answer 501 so that a client can tell them from a wrong path.

const planned: readonly (readonly [Method, string])[] = [['PUT', '/api/settings']];

export function plannedRoutes(): readonly Route[] {
  const { status, message } = errors.not_implemented;
  return [
    ...planned.map(([method, path]): Route => ({
      method,
      path,
      answer: () => {
        throw new ApiError(status, 'not_implemented', message);
      },
    })),
    {
      method: 'GET',
      path: '/dashboard',
      answer: () => ({
        status,
        body: '<!doctype html><title>Weir</title><p>The dashboard is planned and not built yet.</p>\n',
        headers: { 'content-type': 'text/html; charset=utf-8' },
      }),
    },
  ];
}
