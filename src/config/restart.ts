import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../fleet/settings.ts';
import type { SettingEntry } from '../fleet/settings-report.ts';
import type { InForce } from './resolve.ts';
import { rows } from './table.ts';

// What of new settings can be taken while the router runs, and what waits for its next start: sockets that are listened on, threads,
// and what the database and its lock hang on. What waits is told beside the value in force; the rest goes on without it.

/** Paths that only a restart changes. */
const restartPaths: ReadonlySet<string> = new Set(
  rows.filter(({ restart }) => restart === true).map(({ path }) => path),
);

/** `next` as far as it can be taken now. */
export function takeable(next: Settings, running: Settings): Settings {
  const { listen, threads, tls, admin, agents, dataDir, insecure } = running;
  return { ...next, listen, threads, tls, admin, agents, dataDir, insecure };
}

/** The entries to show, from what was read at the start and what was read now. */
export function entriesOf(started: readonly InForce[], now: readonly InForce[], isTokenNew: boolean): SettingEntry[] {
  const before = new Map(started.map((each) => [each.path, each]));
  return now.map(({ path, shown, origin }) => {
    const running = before.get(path);
    if (!restartPaths.has(path) || !running) return { path, value: shown, source: origin, afterRestart: null };
    const isOther = running.shown !== shown || (path === 'admin.token' && isTokenNew);
    return { path, value: running.shown, source: running.origin, afterRestart: isOther ? shown : null };
  });
}

/** Paths of what differs, for people. */
export function changedPaths(
  before: { readonly settings: Settings; readonly entries: readonly SettingEntry[] },
  after: { readonly settings: Settings; readonly entries: readonly SettingEntry[] },
): string[] {
  const changed = new Set<string>();
  const [old, now] = [valuesOf(before.entries), valuesOf(after.entries)];
  for (const path of [...old.keys(), ...now.keys()]) if (old.get(path) !== now.get(path)) changed.add(path);
  // What is not shown in full may have changed all the same.
  const nodes = named(before.settings.nodes, after.settings.nodes, ({ name }) => `nodes.${name}`);
  const keys = named(before.settings.auth.keys, after.settings.auth.keys, ({ label }) => `auth.keys.${label}`);
  const [was, is] = [before.settings.discovery, after.settings.discovery];
  const found = named(was.nodes, is.nodes, ({ name }) => `discovery.nodes.${name}`);
  const names = named(was.dns, is.dns, ({ id }) => `discovery.dns.${id}`);
  for (const path of [...nodes, ...keys, ...found, ...names]) changed.add(path);
  return [...changed];
}

function valuesOf(entries: readonly SettingEntry[]): ReadonlyMap<string, string> {
  return new Map(entries.map(({ path, value }) => [path, value]));
}

function named<T>(before: readonly T[], after: readonly T[], nameOf: (item: T) => string): string[] {
  const [old, now] = [before, after].map((items) => new Map(items.map((item) => [nameOf(item), item])));
  const names = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]);
  return [...names].filter((name) => !isDeepStrictEqual(old?.get(name), now?.get(name)));
}
