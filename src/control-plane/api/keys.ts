import { type ClientKey } from '../client-keys.ts';
import { type AdminState, inForce, kept } from './admin-state.ts';
import { ApiError, type Call, notFound, param, type Reply, type Route } from './call.ts';

// Client keys. The key itself is in the answer to its creation and nowhere else, ever.

export function keyRoutes(state: AdminState): readonly Route[] {
  const { keys, publication, link, clock } = state;

  const create = async (call: Call): Promise<Reply> => {
    const { check, keyInput } = await import('./input.ts');
    const input = check(keyInput, await call.body());
    const wanted = {
      label: input.label,
      expiresAt: input.expiresAt ?? null,
      models: input.models ?? null,
      weight: input.weight,
      maxConcurrent: input.maxConcurrent ?? null,
      ratePerMinute: input.ratePerMinute ?? null,
      maxPriority: input.maxPriority,
      maxDeadlineMs: input.maxDeadline ?? null,
      mayManage: input.mayManage,
      resume: input.resume,
    };
    const { key, secret } = kept(() => keys.create(wanted, clock.wall()));
    publication.changed();
    await inForce(state, 'key.create', key.id, { label: key.label, mayManage: key.mayManage });
    return { status: 201, body: { ...keyView(key), key: secret }, headers: { location: `/api/keys/${key.id}` } };
  };

  const remove = async (call: Call): Promise<Reply> => {
    const { checkQuery, keyRemoval } = await import('./input.ts');
    const abort = checkQuery(keyRemoval, call.query).abort === 'true';
    const id = param(call, 'id');
    const key = keys.byId(id);
    if (!key) throw notFound(`There is no key ${id}. GET /api/keys lists them.`);
    if (key.managedBy === 'config') {
      throw new ApiError(
        409,
        'managed_by_config',
        `The key ${key.label} is declared in the configuration. Remove it there.`,
      );
    }
    kept(() => keys.remove(id));
    publication.changed();
    await inForce(state, 'key.remove', id, { label: key.label, abort });
    // After the snapshot without the key: nothing new can begin under it any more.
    if (abort) link.send({ kind: 'abort', keyId: id });
    return { status: 204, body: null };
  };

  return [
    { method: 'GET', path: '/api/keys', answer: () => ({ status: 200, body: { data: keys.all().map(keyView) } }) },
    { method: 'POST', path: '/api/keys', answer: create },
    { method: 'DELETE', path: '/api/keys/:id', answer: remove },
  ];
}

function keyView({ hash: _hash, ...key }: ClientKey): Omit<ClientKey, 'hash'> {
  return key;
}
