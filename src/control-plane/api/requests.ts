import { findRequest, listRequests } from '../store/history-query.ts';
import type { AdminState } from './admin-state.ts';
import { notFound, param, type Route } from './call.ts';

/** The history of requests. */
export function requestRoutes({ database, history }: AdminState): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/requests',
      answer: async (call) => {
        const { checkQuery, requestFilter } = await import('./input.ts');
        const filter = checkQuery(requestFilter, call.query);
        history.flush();
        return { status: 200, body: listRequests(database, filter) };
      },
    },
    {
      method: 'GET',
      path: '/api/requests/:id',
      answer: (call) => {
        history.flush();
        const found = findRequest(database, param(call, 'id'));
        if (!found) throw notFound(`There is no request ${param(call, 'id')} in the history.`);
        return { status: 200, body: found };
      },
    },
  ];
}
