import type { Settings } from '../../fleet/settings.ts';
import type { Overrides } from '../../fleet/settings-report.ts';
import { type AdminState, inForce, kept } from './admin-state.ts';
import { ApiError, type Call, type Reply, type Route } from './call.ts';
import { MASK } from './node-view.ts';

// The settings in force, and those that are set here. What is set here goes before flags, variables and the file until it is taken back
// with null, and is kept in the store. The data plane's thread judges it, where the settings are read, with everything else that is in
// force, so that nothing can be set here that the file could not say.

export function settingsRoutes(state: AdminState): readonly Route[] {
  const { link, settingsTable } = state;
  let last: Promise<unknown> = Promise.resolve();

  const change = async (call: Call): Promise<Reply> => {
    const { check, settingsInput } = await import('./input.ts');
    const changes = flattened(check(settingsInput, await call.body()));
    const before = settingsTable.all();
    const wanted = Object.fromEntries(
      Object.entries({ ...before, ...changes }).flatMap(([path, value]) => (value === null ? [] : [[path, value]])),
    );
    refuse(400, 'invalid_request', await link.askOverrides(wanted, false));
    kept(() => settingsTable.replace(wanted));
    const problems = await link.askOverrides(wanted, true);
    if (problems.length > 0) {
      // The file became another one meanwhile.
      kept(() => settingsTable.replace(before));
      refuse(409, 'settings_refused', problems);
    }
    await inForce(state, 'settings.change', Object.keys(changes).join(' '), changes);
    return { status: 200, body: settingsView(state) };
  };
  /** One after the other: each is judged together with what is there. */
  const inTurn = (call: Call): Promise<Reply> => {
    const turn = last.then(() => change(call));
    last = turn.catch(() => undefined);
    return turn;
  };

  return [
    { method: 'GET', path: '/api/settings', answer: () => ({ status: 200, body: settingsView(state) }) },
    { method: 'PUT', path: '/api/settings', answer: inTurn },
  ];
}

function refuse(status: number, code: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new ApiError(status, code, problems.join('; '));
}

type Changes = Readonly<Record<string, Overrides[string] | null>>;

/** `{ queue: { maxWaiters: 100 } }` → `{ "queue.maxWaiters": "100" }` */
function flattened(tree: Readonly<Record<string, unknown>>, trail = ''): Changes {
  const changes: Record<string, Overrides[string] | null> = {};
  for (const [key, value] of Object.entries(tree)) {
    const path = trail + key;
    if (value === null || typeof value === 'string') changes[path] = value;
    else if (typeof value === 'number' || typeof value === 'boolean') changes[path] = String(value);
    else if (Array.isArray(value)) changes[path] = value.map((item) => itemOf(item, path));
    else if (typeof value === 'object') Object.assign(changes, flattened(Object(value), `${path}.`));
  }
  return changes;
}

function itemOf(item: unknown, path: string): string {
  if (typeof item === 'string' || typeof item === 'number') return String(item);
  throw new ApiError(400, 'invalid_request', `${path}: holds something that is not one value; write a list of texts.`);
}

function settingsView({ settings, settingsReport: { file, entries, lastChange } }: AdminState): object {
  const waiting = entries.filter(({ afterRestart }) => afterRestart !== null);
  return {
    ...withoutSecrets(settings),
    file,
    sources: entries,
    waitsForRestart: waiting.map(({ path }) => path),
    lastChange,
  };
}

function withoutSecrets(settings: Settings): object {
  return {
    ...settings,
    admin: { ...settings.admin, token: MASK },
    auth: { ...settings.auth, keys: settings.auth.keys.map((key) => ({ ...key, hash: MASK })) },
    nodes: settings.nodes.map((node) => ({
      ...node,
      apiKey: node.apiKey === undefined ? null : MASK,
      headers: Object.fromEntries(Object.keys(node.headers).map((name) => [name, MASK])),
      ...(node.tls ? { tls: { ...node.tls, ...(node.tls.key === undefined ? {} : { key: MASK }) } } : {}),
    })),
  };
}
