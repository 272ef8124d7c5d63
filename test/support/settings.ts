import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/fleet/settings.ts';

type Plain = string | number | boolean | null | undefined;

/** Any part of `T`; arrays are given whole. */
export type DeepPartial<T> = T extends Plain | readonly unknown[] ? T : { readonly [K in keyof T]?: DeepPartial<T[K]> };

const root = mkdtempSync(join(tmpdir(), 'weir-test-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

/** An empty directory of its own, removed when this process ends. */
export function temporaryDirectory(): string {
  mkdirSync(root, { recursive: true });
  return mkdtempSync(join(root, 'dir-'));
}

/** Settings for a router in a test: every port 0, a fresh `dataDir`, nothing on stdout, no discovery, an admin token of `test-token`. */
export function testSettings(overrides: DeepPartial<Settings> = {}): Settings {
  const defaults: Settings = {
    listen: { host: '127.0.0.1', port: 0 },
    threads: 1,
    tls: null,
    admin: { listen: { host: '127.0.0.1', port: 0 }, tls: null, token: 'test-token' },
    agents: { listen: null, tls: null, heartbeatMs: 10_000, timeoutMs: 30_000 },
    dataDir: overrides.dataDir ?? temporaryDirectory(),
    insecure: false,
    auth: { clients: 'auto', keys: [], trustedProxies: [] },
    cors: { origins: [] },
    discovery: { enabled: false, dns: [], file: null, nodes: [] },
    health: { intervalMs: 5000, timeoutMs: 3000 },
    queue: { maxWaiters: 1024, timeoutMs: 30_000, maxBytes: 256 * 1024 * 1024, maxShare: 0.75, reserved: 0 },
    pool: { maxIdlePerNode: 32, idleTimeoutMs: 60_000, tcpKeepAliveMs: 30_000 },
    selection: { policy: 'adaptive', cacheTtlMs: 10 },
    timeouts: {
      connectMs: 5000,
      firstByteMs: 300_000,
      betweenBytesMs: 120_000,
      clientBodyMs: 30_000,
      keepAliveMs: 15_000,
      shutdownMs: 30_000,
    },
    modelTimeouts: {},
    streams: { resume: true },
    limits: { bodyBytes: 32 * 1024 * 1024 },
    history: { days: 7, maxRows: 1_000_000 },
    catalogue: { url: 'http://127.0.0.1:9', cacheTtlMs: 600_000 },
    tasks: { maxPulls: 4 },
    distribution: [],
    log: { level: 'silent' },
    nodes: [],
    aliases: [],
  };
  return overlay(defaults, overrides);
}

function overlay<T extends object>(under: T, over: object): T {
  const result: T = { ...under };
  for (const key of Object.keys(over)) {
    const below: unknown = Reflect.get(under, key);
    const above: unknown = Reflect.get(over, key);
    if (above === undefined) continue;
    Reflect.set(result, key, isTree(below) && isTree(above) ? overlay(below, above) : above);
  }
  return result;
}

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
