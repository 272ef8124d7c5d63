import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AgentAction, agentPaths, IDENTITY_HEADER, TUNNEL_PROTOCOL } from '../fleet/agent-words.ts';
import type { AgentCall, AgentReply } from '../fleet/agent-messages.ts';
import type { Address, ListenerTls } from '../fleet/settings.ts';
import { authority, portOf, startListening } from '../lib/listening.ts';
import { createServer, nodeHttps } from '../lib/node-http.ts';
import { readTlsFiles } from '../lib/tls-files.ts';

// The listener of agents. It knows no token: a call is read, within bounds, and handed on to be answered. Machines and strangers share
// its port, so whatever takes long or is large is cut before anybody is asked.

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 16_384,
};
const MAX_CONNECTIONS = 4096;
const MOST_BYTES = 1024 * 1024;
const IDENTITY = /^[\w-]{20,128}$/;

export interface AgentServerOptions {
  readonly listen: Address;
  readonly tls: ListenerTls | null;
  /** Must not reject. */
  readonly ask: (call: AgentCall) => Promise<AgentReply>;
  /** A tunnel that was allowed: the socket is its own from here on. */
  readonly onTunnel: (nodeId: string, socket: Duplex) => void;
}

export interface AgentServer {
  readonly url: string;
  readonly port: number;
  /** Stops listening and ends calls; tunnels are no business of its any more. */
  close(): void;
}

/** Listens; rejects with the system's error (`code` EADDRINUSE, …) or `UnusableTls`. */
export async function startAgentServer(options: AgentServerOptions): Promise<AgentServer> {
  const { listen, tls } = options;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(options, request, response);
  const server: Server = tls
    ? nodeHttps().createServer({ ...LIMITS, ...readTlsFiles('agents.tls', tls) }, onRequest)
    : createServer(LIMITS, onRequest);
  server.maxConnections = MAX_CONNECTIONS;
  server.on('upgrade', (request, socket, head) => void upgrade(options, request, socket, head));
  await startListening(server, listen);
  const port = portOf(server);
  return {
    url: `${tls ? 'https' : 'http'}://${authority(listen.host, port)}`,
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer({ ask }: AgentServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const action = actionOf(request);
  if (action === null) return send(request, response, refusal(404, 'not_found', 'Only weir agent has business here.'));
  if (action === 'tunnel') {
    return send(request, response, refusal(426, 'upgrade_required', 'A tunnel is asked for with an upgrade.'));
  }
  if (request.method !== 'POST') {
    return send(request, response, refusal(405, 'method_not_allowed', `${agentPaths[action]} takes POST.`));
  }
  const text = await readText(request);
  if (text === null) return send(request, response, refusal(413, 'body_too_large', `At most ${MOST_BYTES} bytes.`));
  const body = parse(text);
  if (body === undefined) return send(request, response, refusal(400, 'invalid_json', 'The body is not JSON.'));
  return send(request, response, await ask(callOf(action, request, body)));
}

async function upgrade(
  { ask, onTunnel }: AgentServerOptions,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  // It may go while it is asked about.
  socket.on('error', () => socket.destroy());
  const isTunnel = actionOf(request) === 'tunnel' && request.headers.upgrade?.toLowerCase() === TUNNEL_PROTOCOL;
  if (!isTunnel || head.length > 0) return void socket.destroy();
  const reply = await ask(callOf('tunnel', request, null));
  if (socket.destroyed) return;
  if (reply.status !== 101 || reply.nodeId === undefined) {
    const text = JSON.stringify(reply.body);
    const status = reply.status === 101 ? 500 : reply.status;
    const fields = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close`;
    socket.end(`HTTP/1.1 ${status} Refused\r\n${fields}\r\n\r\n${text}`);
    return;
  }
  const { nodeId } = reply;
  const agreed = `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${TUNNEL_PROTOCOL}\r\n\r\n`;
  // Not before it is written: HTTP/2 takes the socket over below JavaScript, and the end of a write that is not its own
  // brings the whole process down (Node 24, an assertion in Http2Session::OnStreamAfterWrite).
  socket.write(agreed, (error) => {
    if (error || socket.destroyed) socket.destroy();
    else onTunnel(nodeId, socket);
  });
}

function actionOf(request: IncomingMessage): AgentAction | null {
  const actions: readonly AgentAction[] = ['register', 'heartbeat', 'tunnel'];
  return actions.find((action) => agentPaths[action] === request.url) ?? null;
}

function callOf(action: AgentAction, request: IncomingMessage, body: unknown): AgentCall {
  const { authorization, [IDENTITY_HEADER]: sent } = request.headers;
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null;
  const identity = typeof sent === 'string' && IDENTITY.test(sent) ? sent : null;
  return { action, token, identity, peer: request.socket.remoteAddress ?? '', body };
}

export function refusal(status: number, code: string, message: string): AgentReply {
  return { status, body: { error: { code, message } } };
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: AgentReply): void {
  if (response.destroyed) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    // What was not read of the body must not be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(text);
}

/** Null where it is too long. What breaks off is no JSON, and its answer goes nowhere. */
function readText(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) chunks.push(chunk);
      else resolve(null);
    });
    request.once('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', () => resolve(''));
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
