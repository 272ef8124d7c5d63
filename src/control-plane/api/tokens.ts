import type { StoredToken } from '../store/tokens-table.ts';
import { type AdminState, inForce, kept } from './admin-state.ts';
import { type Call, notFound, param, type Reply, type Route } from './call.ts';

// Registration tokens of agents. The token itself is in the answer to its creation and nowhere else, ever.

export function tokenRoutes(state: AdminState): readonly Route[] {
  const { tokens, agentDesk, clock } = state;

  const view = ({ hash: _hash, ...token }: StoredToken): object => ({
    ...token,
    nodes: agentDesk.nodesOfToken(token.id).map(({ settings }) => settings.name),
  });

  const create = async (call: Call): Promise<Reply> => {
    const { check, tokenInput } = await import('./input.ts');
    const input = check(tokenInput, await call.body());
    const wanted = {
      label: input.label,
      expiresAt: input.expiresAt ?? null,
      maxNodes: input.maxNodes ?? null,
      needsApproval: input.needsApproval,
    };
    const { token, secret } = kept(() => tokens.create(wanted, clock.wall()));
    const { label, maxNodes, needsApproval } = token;
    await inForce(state, 'token.create', token.id, { label, maxNodes, needsApproval });
    return { status: 201, body: { ...view(token), token: secret }, headers: { location: `/api/tokens/${token.id}` } };
  };

  const remove = async (call: Call): Promise<Reply> => {
    const id = param(call, 'id');
    const token = tokens.byId(id);
    if (!token) throw notFound(`There is no token ${id}. GET /api/tokens lists them.`);
    kept(() => tokens.remove(token));
    const nodes = await agentDesk.tokenRevoked(id);
    await inForce(state, 'token.remove', id, { label: token.label, nodes });
    return { status: 204, body: null };
  };

  return [
    { method: 'GET', path: '/api/tokens', answer: () => ({ status: 200, body: { data: tokens.all().map(view) } }) },
    { method: 'POST', path: '/api/tokens', answer: create },
    { method: 'DELETE', path: '/api/tokens/:id', answer: remove },
  ];
}
