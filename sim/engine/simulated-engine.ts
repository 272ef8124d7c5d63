import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Answer } from './answer.ts';
import { control } from './control.ts';
import { type Call, complain, type Route, type Routes } from './faces/call.ts';
import { strikes } from './faces/struck.ts';
import { nativeRoutes, sayUnknownPath } from './faces/native.ts';
import { openaiRoutes } from './faces/openai.ts';
import { FaultBoard, type Fault } from './faults.ts';
import { Machine, type MachineStats } from './machine.ts';
import { type EngineOptions, type EngineSettings, settle } from './options.ts';

// A simulated inference server: an engine's wire formats in front of slots, a batch and a clock (machine.ts), with faults on demand.
// It is for seeing what a router does, not for measuring engines: its times are a model of theirs (compute.ts says what is
// left out). `/sim/stats` and `/sim/faults` are its own and suffer no fault.

export interface EngineStats extends MachineStats {
  readonly socketsOpened: number;
  readonly socketsOpen: number;
  /** Requests by `METHOD /path`, those under `/sim/` left out. */
  readonly paths: Readonly<Record<string, number>>;
}

export interface SimulatedEngine extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  stats(): EngineStats;
  /** Replaces all faults; none heals it. Requests already being answered keep theirs. */
  setFaults(...faults: readonly Fault[]): void;
  /** Takes a model out of memory, so that the next request loads it. */
  unload(model: string): void;
  /** Drops every connection and stops. */
  close(): Promise<void>;
}

/** Starts an engine; rejects with a RangeError or an Error that names the wrong option, or if the port is taken. */
export async function startSimulatedEngine(options: EngineOptions = {}): Promise<SimulatedEngine> {
  const settings = settle(options);
  const faults = new FaultBoard(settings.faults);
  const machine = new Machine(settings, faults);
  const routes: Routes = { ...openaiRoutes, ...nativeRoutes[settings.kind] };
  const paths: Record<string, number> = {};
  const sockets = new Set<Socket>();
  const idleTimers = new Map<Socket, () => void>();
  let opened = 0;
  let serial = 0;
  const stats = (): EngineStats => ({
    ...machine.stats(),
    socketsOpened: opened,
    socketsOpen: sockets.size,
    paths: { ...paths },
  });

  const respond = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const method = request.method ?? '';
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path.startsWith('/sim/')) {
      control(method, path, body, response, { stats, faults });
      return;
    }
    paths[`${method} ${path}`] = (paths[`${method} ${path}`] ?? 0) + 1;
    const isInference = method === 'POST' && path !== '/api/show';
    const delayMs = faults.takeDelayMs(isInference) / settings.timeScale;
    const fault = faults.take(isInference);
    const headers = { ...settings.profile.headers, ...keepAliveHeader(settings) };
    const answer = new Answer(response, headers, fault);
    serial += 1;
    let gone: (() => void)[] = [];
    const call: Call = { method, path, body, serial, answer, whenGone: (run) => gone.push(run) };
    response.on('close', () => {
      if (!response.writableFinished) for (const run of gone) run();
      gone = [];
    });
    const dispatch = (): void => {
      if (response.destroyed) return;
      if (fault && strikes(fault, call, machine)) return;
      if (!machine.isUp) complain(call, machine, 503, 'Loading model');
      else if (settings.apiKey !== null && request.headers.authorization !== `Bearer ${settings.apiKey}`) {
        complain(call, machine, 401, 'Invalid API Key');
      } else (find(routes, method, path) ?? sayUnknownPath)(call, machine);
    };
    if (delayMs > 0) call.whenGone(settings.clock.after(delayMs, dispatch));
    else dispatch();
  };

  const server = createServer((request, response) => {
    const { socket } = request;
    idleTimers.get(socket)?.();
    response.on('error', () => undefined);
    response.on('close', () => {
      if (settings.keepAliveMs === null || socket.destroyed) return;
      idleTimers.get(socket)?.();
      idleTimers.set(
        socket,
        settings.clock.after(settings.keepAliveMs, () => void socket.destroy()),
      );
    });
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => respond(request, response, Buffer.concat(chunks)));
  });
  // Idle connections are closed on the injected clock, above.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    opened += 1;
    socket.on('error', () => undefined);
    if (settings.profile.cold === 'absent' && !machine.isUp) {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => {
      sockets.delete(socket);
      idleTimers.get(socket)?.();
      idleTimers.delete(socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, settings.host, () => resolve());
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : settings.port;

  let closed: Promise<void> | null = null;
  const close = (): Promise<void> =>
    (closed ??= new Promise((resolve) => {
      machine.stop();
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    }));
  return {
    url: `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`,
    port,
    stats,
    setFaults: (...list) => faults.set(list),
    unload: (model) => machine.residency.unload(model),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function find(routes: Routes, method: string, path: string): Route | undefined {
  const exact = routes[`${method} ${path}`];
  if (exact) return exact;
  const prefix = Object.keys(routes).find(
    (key) => key.endsWith('*') && `${method} ${path}`.startsWith(key.slice(0, -1)),
  );
  return prefix === undefined ? undefined : routes[prefix];
}

function keepAliveHeader({ profile, keepAliveMs }: EngineSettings): Record<string, string> {
  if (!profile.announcesKeepAlive || keepAliveMs === null) return {};
  return { 'keep-alive': `timeout=${Math.ceil(keepAliveMs / 1000)}` };
}
