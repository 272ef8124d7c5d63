import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createDoor, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryDirectory } from '../../test/support/settings.ts';
import { until } from '../../test/support/until.ts';
import { createHttpClient, type HttpClient } from '../http-client/http-client.ts';
import { type Exchange, ExchangeError, type Target } from '../http-client/exchange.ts';
import { systemClock } from '../lib/clock.ts';
import { type FarEnd, openFarEnd, TunnelRefused } from './far-end.ts';
import { type NearEnd, openNearEnd } from './near-end.ts';

// Both ends over a real socket, with an engine behind and the router's own pool in front.

interface Stage {
  readonly client: HttpClient;
  readonly target: Target;
  readonly near: NearEnd;
  readonly far: FarEnd;
  readonly engine: Server;
  readonly engineSockets: ReadonlySet<Socket>;
  readonly ended: () => boolean;
  readonly get: (path?: string) => Promise<string>;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return portOf(server);
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

async function stage(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Stage> {
  const engine = createServer(answer);
  const enginePort = await listening(engine);
  const engineSockets = new Set<Socket>();
  engine.on('connection', (socket) => {
    engineSockets.add(socket);
    socket.once('close', () => engineSockets.delete(socket));
  });
  const socketPath = join(temporaryDirectory(), 'n.sock');
  const opened = Promise.withResolvers<NearEnd>();
  let isEnded = false;
  const router = createServer();
  router.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: t\r\n\r\n');
    const near = openNearEnd({ socket, clock: systemClock, onEnd: () => (isEnded = true) });
    const door = createDoor((local) => near.carry(local));
    t.after(() => door.close());
    door.listen(socketPath, () => opened.resolve(near));
  });
  const far = await openFarEnd({
    router: new URL(`http://127.0.0.1:${await listening(router)}`),
    path: '/t',
    headers: {},
    protocol: 't',
    ca: null,
    engine: () => ({ host: '127.0.0.1', port: enginePort }),
    clock: systemClock,
  });
  const near = await opened.promise;
  const client = createHttpClient({ maxIdlePerNode: 4, idleTimeoutMs: 60_000, tcpKeepAliveMs: 0 }, systemClock);
  const target = { pool: 'n', origin: `http://127.0.0.1:${enginePort}`, socketPath, tls: null, connectMs: 2000 };
  t.after(() => {
    client.close();
    near.close();
    far.close();
    router.close();
    engine.closeAllConnections();
    engine.close();
  });
  return {
    client,
    target,
    near,
    far,
    engine,
    engineSockets,
    ended: () => isEnded,
    get: async (path = '/') => {
      const request = { method: 'GET', path, headers: [], body: null } as const;
      const { status, body } = await client.fetch(target, request, { totalMs: 5000, maxBytes: 1e8 });
      return `${status} ${body.toString()}`;
    },
  };
}

test('requests pass as they are, many at a time, over connections that are kept', async (t) => {
  const { get, target, engineSockets } = await stage(t, (request, response) => {
    response.end(`${request.url} ${request.headers.host}`);
  });
  const { host } = new URL(target.origin);
  assert.equal(await get('/a'), `200 /a ${host}`);
  assert.equal(await get('/b'), `200 /b ${host}`);
  assert.equal(engineSockets.size, 1);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => get(`/${at}`)));
  assert.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, at) => `200 /${at} ${host}`),
  );
});

test('a large body goes out and a large answer comes back whole', async (t) => {
  const { client, target } = await stage(t, (request, response) => void request.pipe(response));
  const body = Buffer.alloc(8 * 1024 * 1024, 'weir');
  const request = { method: 'POST', path: '/', headers: [], body } as const;
  const answer = await client.fetch(target, request, { totalMs: 20_000, maxBytes: body.length });
  assert.ok(answer.body.equals(body));
});

test('whoever does not read holds back its own stream, and no other', async (t) => {
  const chunk = Buffer.alloc(64 * 1024);
  let sent = 0;
  const { client, target, get } = await stage(t, (request, response) => {
    if (request.url !== '/flood') return void response.end('ok');
    const flood = (): void => {
      while (sent < 256 * 1024 * 1024) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', flood);
      }
      response.end();
    };
    flood();
  });
  const paused = Promise.withResolvers<void>();
  const exchange: Exchange = client.exchange(
    target,
    { method: 'GET', path: '/flood', headers: [], body: null },
    {
      onHead: () => undefined,
      onData: () => {
        exchange.pause();
        paused.resolve();
      },
      onEnd: () => undefined,
      onError: () => undefined,
    },
  );
  await paused.promise;
  let before = -1;
  await until(
    async () => {
      const isStill = before === sent;
      before = sent;
      // Ten requests take a while, and have to get through.
      for (let at = 0; at < 10; at += 1) assert.equal(await get(), '200 ok');
      return isStill;
    },
    { what: () => `the engine to be held back; it sent ${sent}` },
  );
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes went out to nobody`);
  exchange.abort();
});

test('a client that leaves closes the connection at the engine', async (t) => {
  const begun = Promise.withResolvers<void>();
  const { client, target, engineSockets } = await stage(t, (_request, response) => {
    response.write('first');
    begun.resolve();
  });
  const exchange = client.exchange(
    target,
    { method: 'GET', path: '/', headers: [], body: null },
    { onHead: () => undefined, onData: () => undefined, onEnd: () => undefined, onError: () => undefined },
  );
  await begun.promise;
  assert.equal(engineSockets.size, 1);
  exchange.abort();
  await until(() => engineSockets.size === 0, { what: 'the engine to see its client leave' });
});

test('an engine that hangs up, or is away, is told as a connection that broke', async (t) => {
  const { get, engine } = await stage(t, (request) => void request.socket.destroy());
  await assert.rejects(get(), (error) => error instanceof ExchangeError && error.failure === 'reset');
  engine.close();
  await assert.rejects(get(), ExchangeError);
});

test('when the agent goes, what is under way is reset, and so is what comes after', async (t) => {
  const begun = Promise.withResolvers<void>();
  const { far, get, ended } = await stage(t, () => begun.resolve());
  const waiting = assert.rejects(get(), ExchangeError);
  await begun.promise;
  far.close();
  await waiting;
  await until(ended, { what: 'the end of the tunnel' });
  await assert.rejects(get(), ExchangeError);
});

test('a router that refuses is told with its status and its words', async (t) => {
  const router = createServer((_request, response) => void response.writeHead(403).end('{"error":"no"}'));
  const port = await listening(router);
  t.after(() => router.close());
  const opening = openFarEnd({
    router: new URL(`http://127.0.0.1:${port}`),
    path: '/t',
    headers: {},
    protocol: 't',
    ca: null,
    engine: () => ({ host: '127.0.0.1', port: 1 }),
    clock: systemClock,
  });
  await assert.rejects(
    opening,
    (error) => error instanceof TunnelRefused && error.status === 403 && error.text === '{"error":"no"}',
  );
});
