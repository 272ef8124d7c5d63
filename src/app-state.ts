import { AgentListenerHost } from './agent-listener-host.ts';
import type { AppHooks, RunningApp } from './cli/app.ts';
import { ControlPlaneHost } from './control-plane-host.ts';
import { DataPlane } from './data-plane/data-plane.ts';
import { checkPort } from './data-plane/http/check-port.ts';
import { type ClientServer, listenForClients } from './data-plane/http/server.ts';
import type { Settings } from './fleet/settings.ts';
import { plainReport, type SettingsReport } from './fleet/settings-report.ts';
import { unpackSettlements } from './fleet/settlement-batch.ts';
import { listedModels } from './fleet/offered-models.ts';
import type { FleetSnapshot } from './fleet/snapshot.ts';
import { createHttpClient, type HttpClient } from './http-client/http-client.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import { RelayThreads } from './relay-threads.ts';

// The composition root: what a running router consists of, started in the order of the list and stopped in reverse.
//
//   httpClient     the shared pool of this thread; every path that talks to a node uses it
//   relayThreads   with `threads` above 1: what this thread's data plane shares with its workers
//   dataPlane      requests, the dispatcher, the relay
//   controlPlane   the worker that knows nodes, keys and history; the first snapshot comes from it
//   agents         the thread where agents of nodes join and dial their tunnels, where `agents.listen` is set
//   server         the clients' listener: opened when there is a fleet to place on; then the relay threads' on the same port

export interface AppState extends RunningApp {
  /** As they were at the start; those in force are the data plane's. */
  readonly settings: Settings;
  readonly clock: Clock;
  readonly httpClient: HttpClient;
  /** Null where this thread is the only one that relays. */
  readonly relayThreads: RelayThreads | null;
  readonly dataPlane: DataPlane;
  readonly controlPlane: ControlPlaneHost;
  readonly agents: AgentListenerHost;
  readonly server: ClientServer;
}

/** Starts a router. Two may run in one process. Rejects with one sentence for people where it cannot start. */
export async function startApp(settings: Settings, hooks: AppHooks): Promise<AppState> {
  const clock = systemClock;
  const httpClient = createHttpClient(settings.pool, clock);
  let toldSettled = false;
  const { source } = hooks;
  let inForce = settings;
  const controlPlane = new ControlPlaneHost(source?.report ?? plainReport(settings), clock, {
    snapshot: (snapshot) => {
      relayThreads?.publish(snapshot);
      dataPlane.replaceSnapshot(snapshot);
      if (toldSettled || !snapshot.settled) return;
      toldSettled = true;
      listening.promise.then(
        () => hooks.settled(foundNodes(snapshot)),
        () => undefined,
      );
    },
    telemetry: (nodes) => dataPlane.replaceTelemetry(nodes),
    gauges: async () => {
      const reports = await relayThreads?.reports();
      // What is counted must be there when it is read: a scrape sees every request that was answered before it.
      dataPlane.settlements.flush();
      return dataPlane.gauges(reports);
    },
    abort: (keyId) => {
      dataPlane.abortKey(keyId);
      relayThreads?.abort(keyId);
    },
    overrides: (overrides, apply) => source?.override(overrides, apply) ?? Promise.resolve([UNCHANGEABLE]),
    agents: (told) => agents.post(told),
  });
  const agents = new AgentListenerHost({
    settings,
    clock,
    tell: (told) => controlPlane.post({ kind: 'agents', told }),
  });
  const relayThreads =
    settings.threads === 1
      ? null
      : new RelayThreads(settings, clock, Math.random, {
          applied: (version) => void controlPlane.post({ kind: 'applied', version }),
          tell: (message) => {
            if (controlPlane.post(message) || message.kind !== 'settlements') return;
            // Where the control plane is away they are kept here, whichever thread they come from.
            for (const settlement of unpackSettlements(message.settlements)) dataPlane.settlements.add(settlement);
          },
        });
  const dataPlane = new DataPlane({
    settings,
    clock,
    httpClient,
    random: Math.random,
    post: (message) => {
      if (!relayThreads || message.kind !== 'applied') return controlPlane.post(message);
      relayThreads.appliedByMain(message.version);
      return true;
    },
    ...(relayThreads ? { part: relayThreads.part } : {}),
  });
  const take = async (report: SettingsReport): Promise<readonly string[]> => {
    // First the plane that may object; what it took is undone by no failure of the other's, which has none.
    const problems = await controlPlane.replaceSettings(report);
    if (problems.length > 0 || report.settings === inForce) return problems;
    inForce = report.settings;
    relayThreads?.replaceSettings(inForce);
    dataPlane.replaceSettings(inForce);
    listener?.replaceSettings(inForce);
    return [];
  };
  source?.connect(take);
  const listening = Promise.withResolvers<void>();
  // Whoever started this is told by the rejection below; here nobody may be listening yet.
  listening.promise.catch(() => undefined);

  let listener: ClientServer | null = null;
  try {
    const admin = await controlPlane.start();
    const agentsUrl = await agents.start();
    if (relayThreads) await checkPort(settings.listen);
    // What was set through the admin API is in force by now.
    const server = (listener = await listenForClients(
      inForce,
      (request, response) => dataPlane.handle(request, response),
      relayThreads?.listening,
    ));
    await relayThreads?.start(server.port);
    hooks.listening({ clientUrl: server.url, adminUrl: admin.url, adminToken: admin.token, agentsUrl });
    listening.resolve();
    const stop = once(async () => {
      const limitMs = inForce.timeouts.shutdownMs;
      await Promise.all([dataPlane.drain(limitMs), relayThreads?.drain(limitMs)]);
      const giveUp = clock.after(CLOSE_WITHIN_MS, () => server.destroy());
      await Promise.all([server.close(), relayThreads?.stop()]);
      giveUp();
      dataPlane.settlements.flush();
      await agents.stop();
      await controlPlane.stop();
      httpClient.close();
    });
    return { settings, clock, httpClient, relayThreads, dataPlane, controlPlane, agents, server, stop };
  } catch (error) {
    listening.reject(error);
    await Promise.all([listener?.close(), relayThreads?.stop(), agents.stop()]);
    await controlPlane.stop();
    httpClient.close();
    throw readableStartError(error, settings);
  }
}

/** For answers already written to leave; after that what is open is a client that does not read or does not hang up. */
const CLOSE_WITHIN_MS = 1000;

const UNCHANGEABLE = 'the settings of this router cannot be changed while it runs';

function foundNodes(snapshot: FleetSnapshot): Parameters<AppHooks['settled']>[0] {
  return snapshot.nodes.flatMap((node) => {
    if (node === null) return [];
    const models = listedModels(snapshot).filter(({ offers }) =>
      offers.some((offer) => offer.node === node.index),
    ).length;
    return { name: node.name, url: node.baseUrl, engine: node.engine, state: node.state, models };
  });
}

function readableStartError(error: unknown, { listen }: Settings): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = 'code' in error ? error.code : undefined;
  const address = `${listen.host}:${listen.port}`;
  if (code === 'EADDRINUSE') {
    return new Error(`${address} is in use by another program. Stop it, or listen elsewhere: --listen HOST:PORT`);
  }
  if (code === 'EACCES')
    return new Error(`${address} may not be used by this user. Choose a port from 1024 on: --listen`);
  if (code === 'EADDRNOTAVAIL')
    return new Error(`${address} is no address of this machine. Choose one that is: --listen`);
  return error;
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => (running ??= run());
}
