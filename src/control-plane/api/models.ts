import type { AdminState } from './admin-state.ts';
import type { Route } from './call.ts';

/** The models the fleet offers, and which node offers each under which name. */
export function modelRoutes({ fleet, publication }: AdminState): readonly Route[] {
  const list = (): object[] => {
    const offers = fleet.registry.all().flatMap((node) => (node.models ?? []).map((offer) => ({ node, offer })));
    const names = [...new Set(offers.map(({ offer }) => offer.model))].toSorted();
    return names.map((name) => {
      const nodes = offers
        .filter(({ offer }) => offer.model === name)
        .map(({ node, offer }) => ({
          id: node.id,
          name: node.settings.name,
          state: node.health.state,
          draining: node.draining,
          upstream: offer.upstream,
          ready: offer.ready,
          sizeBytes: offer.sizeBytes,
          contextTokens: offer.contextTokens,
        }));
      const ready = nodes.some((node) => node.ready && node.state === 'ready' && !node.draining);
      return { name, ready, firstSeenAt: publication.firstSeenAt(name), nodes };
    });
  };
  return [{ method: 'GET', path: '/api/models', answer: () => ({ status: 200, body: { data: list() } }) }];
}
