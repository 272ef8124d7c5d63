import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { type ClientOptions } from 'openai';
import { ensureLlamaServer } from '../../tools/engine/llama-server.ts';
import { startEngine, type Engine, type EngineOptions } from '../../tools/engine/start-engine.ts';
import { startWeir, type Weir, type WeirOptions } from '../support/start-weir.ts';
import { until } from '../support/until.ts';

// What every test with real engines stands on: engines and routers as processes, ended with the test whatever happens.
// Where no engine can be had the test is skipped with the reason, unless WEIR_REQUIRE_ENGINE=1 says that it must be
// there, as it does in CI.

export interface Stage {
  /** An engine of its own; by default fast, with 2 slots of 1024 tokens. */
  readonly engine: (options?: Partial<EngineOptions>) => Promise<Engine>;
  /** A router; see `startWeir`. */
  readonly weir: (config?: object, options?: WeirOptions) => Promise<Weir>;
  /** A router in front of these engines, named `engine-1`, `engine-2`, … */
  readonly weirBefore: (engines: readonly Engine[], config?: object) => Promise<Weir>;
  /** Aborted when the test ends: for requests that nobody else ends. */
  readonly over: AbortSignal;
}

const testTimeoutMs = 120_000;

/** A test with real engines. `name` is the behaviour, as a sentence. */
export function engineTest(name: string, play: (stage: Stage) => Promise<void>): void {
  test(name, { timeout: testTimeoutMs }, async (t) => {
    const server = await ensureLlamaServer();
    if ('absent' in server) {
      assert.notEqual(process.env['WEIR_REQUIRE_ENGINE'], '1', `an engine is required, but ${server.absent}`);
      t.skip(`no engine: ${server.absent}`);
      return;
    }
    await using ends = new AsyncDisposableStack();
    const over = new AbortController();
    const weir: Stage['weir'] = async (config, options) => {
      const started = await startWeir(config, options);
      ends.defer(async () => void (await started.stop()));
      return started;
    };
    ends.defer(() => t.diagnostic(server.version));
    await play({
      over: over.signal,
      engine: async (options) => {
        const started = await startEngine({ layers: 2, slots: 2, ctx: 1024, ...options });
        ends.defer(() => started.close());
        return started;
      },
      weir,
      weirBefore: (engines, config) => {
        const nodes = engines.map(({ url }, index) => ({ name: `engine-${index + 1}`, url }));
        return weir({ nodes, ...config });
      },
    }).finally(() => over.abort());
  });
}

/** The official client, pointed at a router as its users point it. It retries nothing unless told to. */
export function openai(weir: Weir, options: ClientOptions = {}): OpenAI {
  return new OpenAI({ baseURL: `${weir.url}/v1`, apiKey: 'none', maxRetries: 0, ...options });
}

export function busySlots(engine: Engine): Promise<number> {
  return engine.slots().then((slots) => slots.filter(({ isBusy }) => isBusy).length);
}

export async function untilBusy(engine: Engine, slots: number): Promise<void> {
  await until(async () => (await busySlots(engine)) === slots, { what: `${slots} busy slots at ${engine.url}` });
}

/** Resolves when the router counts `count` waiters. */
export async function untilWaiting(weir: Weir, count: number): Promise<void> {
  await until(async () => (await readMetric(weir, 'weir_waiters')) === count, { what: `${count} waiters` });
}

/** Resolves when no lease is open in the router. */
export async function untilIdle(weir: Weir): Promise<void> {
  await until(async () => (await readMetric(weir, 'weir_open_leases')) === 0, { what: 'no open lease' });
}

/** The sum of a metric's samples, over all labels. */
export async function readMetric(weir: Weir, name: string): Promise<number> {
  const text = await (await weir.admin('/metrics')).text();
  let total = 0;
  let isThere = false;
  for (const line of text.split('\n')) {
    const sample = /^([a-z_]+)(?:\{[^}]*\})? (\S+)$/.exec(line);
    if (sample?.[1] !== name) continue;
    isThere = true;
    total += Number(sample[2]);
  }
  assert.ok(isThere, `/metrics has no ${name}`);
  return total;
}
