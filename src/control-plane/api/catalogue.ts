import type { AdminState } from './admin-state.ts';
import { ApiError, type Reply, type Route } from './call.ts';

const advice = {
  unreachable: 'Check the connection, or set catalogue.url to a hub that can be reached from here.',
  busy: 'Try again in a moment.',
  refused: 'Check catalogue.url.',
} as const;

/** A search on the model hub. Models can be pulled by name without it. */
export function catalogueRoutes(state: AdminState): readonly Route[] {
  const { catalogue } = state;
  return [
    {
      method: 'GET',
      path: '/api/models/catalogue',
      answer: async (call): Promise<Reply> => {
        const { checkQuery } = await import('./input.ts');
        const { catalogueSearch } = await import('./model-input.ts');
        const { q, format, limit } = checkQuery(catalogueSearch, call.query);
        const end = await catalogue.search({ text: q.trim(), format, limit });
        if (end.kind === 'found') {
          return { status: 200, body: { data: end.models, fetchedAt: end.fetchedAt, stale: end.isStale } };
        }
        const { code, detail, retryAfter } = end;
        const hub = new URL(state.settings.catalogue.url).host;
        const message = `The model hub ${hub} is not available. ${detail} ${advice[code]}`;
        const headers = retryAfter === null ? {} : { 'retry-after': retryAfter };
        throw new ApiError(code === 'refused' ? 502 : 503, `catalogue_${code}`, message, headers);
      },
    },
  ];
}
