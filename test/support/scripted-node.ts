import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { chat, type Reply, type Scripted, type ScriptedRequest } from './scripted-answers.ts';

// A node that does exactly what a test says, for faults that a well-behaved imitation would have to be talked into. It
// answers probes as a plain OpenAI-compatible server with the models given, so that a router sees it ready, and every
// POST with a short answer; a test replaces what it needs. For a node with slots and pace use sim/engine.

export interface Script {
  /** Listed by `/v1/models`. Default `['llama3']`. */
  readonly models?: readonly string[];
  /** By path without query, before everything else, probes too. */
  readonly paths?: Readonly<Record<string, Scripted>>;
  /** Every POST that `paths` does not name. */
  readonly answer?: Scripted;
  /** Fixed port; default any free one. */
  readonly port?: number;
  /** PEM texts; with them it speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface ScriptedNode extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Every request seen, oldest first. */
  readonly requests: readonly ScriptedRequest[];
  sockets(): { readonly opened: number; readonly open: number };
  /** Requests seen for a path without its query. */
  count(path: string): number;
  /** Destroys every connection. Rejects with the first error a handler threw. */
  close(): Promise<void>;
}

/** Starts a node on 127.0.0.1 that follows the script; a bare handler is the answer to every POST. */
export async function scriptedNode(script: Script | Scripted = {}): Promise<ScriptedNode> {
  const {
    models = ['llama3'],
    paths = {},
    answer = chat,
    port = 0,
    tls = null,
  } = typeof script === 'function' ? { answer: script } : script;
  const requests: ScriptedRequest[] = [];
  const open = new Set<Socket>();
  const failures: unknown[] = [];
  let opened = 0;
  const count = (path: string): number => requests.filter((request) => pathOf(request.path) === path).length;

  const choose = (method: string, path: string): Scripted => {
    const named = paths[path];
    if (named) return named;
    if (path === '/v1/models') {
      const list = {
        object: 'list',
        data: models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'scripted' })),
      };
      return (_request, reply) => reply.json(200, list);
    }
    if (method === 'POST') return answer;
    return (_request, reply) => reply.json(404, { error: { message: 'not found', type: 'invalid_request_error' } });
  };

  const listen = (incoming: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    incoming.on('error', () => undefined);
    response.on('error', () => undefined);
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers, socket } = incoming;
      const body = Buffer.concat(chunks);
      const nth = count(pathOf(url));
      const request: ScriptedRequest = {
        method,
        path: url,
        headers,
        body,
        nth,
        json: () => JSON.parse(body.toString()) as unknown,
      };
      requests.push(request);
      const reply: Reply = {
        response,
        socket,
        json: (status, value, more) => {
          response.writeHead(status, { 'content-type': 'application/json', ...more });
          response.end(JSON.stringify(value));
        },
        raw: (bytes) => void socket.write(bytes),
        reset: () => void socket.resetAndDestroy(),
        gone: new Promise((resolve) => {
          if (socket.destroyed) resolve();
          else socket.once('close', () => resolve());
        }),
      };
      const fail = (error: unknown): void => {
        failures.push(error);
        socket.destroy();
      };
      try {
        choose(method, pathOf(url))(request, reply)?.catch(fail);
      } catch (error) {
        fail(error);
      }
    });
  };
  const server = tls ? createTlsServer(tls, listen) : createServer(listen);
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    opened += 1;
    open.add(socket);
    socket.setNoDelay(true);
    // Each request on it listens for its end.
    socket.setMaxListeners(0);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a scripted node listens on a TCP port');

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> =>
    (closed ??= new Promise((resolve, reject) => {
      server.close(() => (failures.length > 0 ? reject(failures[0]) : resolve()));
      for (const socket of open) socket.destroy();
    }));
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    sockets: () => ({ opened, open: open.size }),
    count,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
