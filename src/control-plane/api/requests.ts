import { outcomes } from '../../fleet/settlement.ts';
import { findRequest, type HistoryFilter, listRequests } from '../store/history-query.ts';
import type { AdminState } from './admin-state.ts';
import { ApiError, type Call, countQuery, notFound, param, type Route } from './call.ts';
import { readTime } from './time.ts';

// The request history. An unknown filter is an error: a misspelt one would otherwise show everything as if it had matched.

const PAGE = 50;
const LONGEST_PAGE = 500;
const filters = ['model', 'outcome', 'status', 'keyId', 'code', 'since', 'until', 'node', 'cursor', 'limit'];

export function requestRoutes({ database, history }: AdminState): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/requests',
      answer: (call) => {
        history.flush();
        return { status: 200, body: listRequests(database, readFilter(call)) };
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

function readFilter(call: Call): HistoryFilter {
  const { query } = call;
  const unknown = [...query.keys()].find((name) => !filters.includes(name));
  if (unknown !== undefined) {
    throw new ApiError(400, 'invalid_request', `${unknown}: unknown filter. There are ${filters.join(', ')}.`);
  }
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  const at = (name: string): number | undefined => {
    const written = query.get(name);
    if (written === null) return undefined;
    const time = readTime(written);
    if (time !== null) return time;
    throw new ApiError(
      400,
      'invalid_request',
      `${name}: must be a time like 2027-01-31T00:00:00Z or epoch milliseconds.`,
    );
  };
  const outcome = text('outcome');
  if (outcome !== undefined && !outcomes.some((known) => known === outcome)) {
    throw new ApiError(400, 'invalid_request', `outcome: must be one of ${outcomes.join(', ')}.`);
  }
  return {
    model: text('model'),
    outcome,
    status: query.has('status') ? countQuery(call, 'status', 0, 999) : undefined,
    keyId: text('keyId'),
    code: text('code'),
    since: at('since'),
    until: at('until'),
    node: text('node'),
    cursor: text('cursor'),
    limit: countQuery(call, 'limit', PAGE, LONGEST_PAGE),
  };
}
