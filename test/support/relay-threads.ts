import { Agent, type IncomingMessage, request } from 'node:http';
import type { Settings } from '../../src/fleet/settings.ts';
import type { Gauges } from '../../src/fleet/telemetry.ts';
import type { RelayThreads } from '../../src/relay-threads.ts';
import type { DeepPartial } from './settings.ts';
import { startRouter, type TestRouter } from './start-router.ts';
import { until } from './until.ts';

// A router with several relay threads, and clients whose connection is known to be on a certain one: the kernel chooses, so it is asked
// until it chooses that.

export interface ThreadedRouter extends TestRouter {
  readonly threads: RelayThreads;
  /** The live numbers over all threads. */
  gauges(): Promise<Gauges>;
  /** A client whose one connection is on this thread; 0 is the main one. */
  clientOn(thread: number): Promise<ThreadClient>;
  /** Resolves when nothing is open any more on any thread. */
  quiet(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface ThreadClient {
  chat(body?: object, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** A stream, once its head is there. */
  stream(headers?: Readonly<Record<string, string>>): Promise<IncomingMessage>;
  get(path: string): Promise<Answer>;
  close(): void;
}

export async function startThreads(threads: number, overrides: DeepPartial<Settings> = {}): Promise<ThreadedRouter> {
  const router = await startRouter({ ...overrides, threads });
  const { relayThreads, dataPlane } = router.app;
  if (!relayThreads) throw new Error('a router with several threads has relay threads');
  const gauges = async (): Promise<Gauges> => dataPlane.gauges(await relayThreads.reports());
  return {
    ...router,
    threads: relayThreads,
    gauges,
    clientOn: (thread) => clientOn(router.url, relayThreads, thread),
    quiet: async () => {
      let last: unknown = null;
      await until(
        async () => {
          const { openLeases, waiters, waitingBytes, openRequests, nodes } = await gauges();
          last = { openLeases, waiters, waitingBytes, openRequests };
          return (
            openLeases + waiters + waitingBytes + openRequests + nodes.reduce((sum, { taken }) => sum + taken, 0) === 0
          );
        },
        { what: () => `every count to be 0; they are ${JSON.stringify(last)}` },
      );
    },
    [Symbol.asyncDispose]: () => router.app.stop(),
  };
}

async function clientOn(url: string, threads: RelayThreads, thread: number): Promise<ThreadClient> {
  for (;;) {
    const before = threads.connections();
    const client = clientOf(url);
    await client.get('/healthz');
    const after = threads.connections();
    if ((after[thread] ?? 0) > (before[thread] ?? 0)) return client;
    client.close();
    await until(() => total(threads.connections()) <= total(before), {
      what: 'a connection on another thread to be closed',
    });
  }
}

function clientOf(url: string): ThreadClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (method: string, path: string, headers: object, body: object | null): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const sent = request(`${url}${path}`, {
        method,
        agent,
        headers: { 'content-type': 'application/json', ...headers },
      });
      sent.once('response', resolve);
      sent.once('error', reject);
      sent.end(body === null ? undefined : JSON.stringify({ model: 'llama3', messages: [], ...body }));
    });
  const chatPath = '/v1/chat/completions';
  return {
    chat: async (body = {}, headers = {}) => whole(await send('POST', chatPath, headers, body)),
    stream: (headers = {}) => send('POST', chatPath, headers, { stream: true }),
    get: async (path) => whole(await send('GET', path, {}, null)),
    close: () => agent.destroy(),
  };
}

async function whole(response: IncomingMessage): Promise<Answer> {
  return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response) };
}

/** The body as it came, to its end or to where the connection broke; then with `[broken]` behind it. */
export async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) text += String(chunk);
  } catch {
    text += '[broken]';
  }
  return text;
}

function total(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
