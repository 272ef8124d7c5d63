import type { DatabaseSync } from 'node:sqlite';
import type { ControlPlaneStart, ToControlPlane } from '../fleet/messages.ts';
import { unpackSettlements } from '../fleet/settlement-batch.ts';
import type { SettingsReport } from '../fleet/settings-report.ts';
import type { HttpClient } from '../http-client/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { type AdminState, inForce } from './api/admin-state.ts';
import type { AgentDesk } from './agent-desk.ts';
import { ClientKeys } from './client-keys.ts';
import type { DataPlaneLink } from './data-plane-link.ts';
import { asker } from './engines/ask.ts';
import { probeNode } from './engines/probe-node.ts';
import { Finding } from './finding.ts';
import type { FleetParts } from './fleet-change.ts';
import { nodesAtStart } from './fleet-start.ts';
import { FleetModels } from './model-facts.ts';
import { Catalogue } from './models/catalogue.ts';
import { ModelTasks } from './model-tasks.ts';
import { headersOf, logPool, logSourceOf, placeOf } from './node-calls.ts';
import type { Resolver } from './nodes/dns-discovery.ts';
import { FirstRound } from './nodes/first-round.ts';
import { type NodeAddress, readNodeUrl } from './nodes/node-address.ts';
import { NodeFleet } from './nodes/node-fleet.ts';
import { Publication } from './nodes/publication.ts';
import type { RegisteredNode } from './nodes/registered-node.ts';
import type { Registration } from './nodes/registry.ts';
import { systemResolver } from './nodes/system-resolver.ts';
import { noteCommand } from './note-command.ts';
import { openAgentDesk } from './open-agent-desk.ts';
import { RegistrationTokens } from './registration-tokens.ts';
import { replaceSettings } from './settings-change.ts';
import { SettingsInForce } from './settings-in-force.ts';
import { AuditTable } from './store/audit-table.ts';
import { openDatabase } from './store/database.ts';
import { History } from './store/history.ts';
import { KeysTable } from './store/keys-table.ts';
import { NodesTable } from './store/nodes-table.ts';
import { SettingsTable } from './store/settings-table.ts';
import { addressHmac } from './store/secrets-table.ts';
import { TokensTable } from './store/tokens-table.ts';
import { tunnelSocket } from '../fleet/tunnel-socket.ts';
import { DropNotice } from './telemetry/drop-notice.ts';
import { createLog } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';

// The rooms of the control plane and the threads between them: rooms do not know one another, so each is given here what
// it needs of the others as plain functions.

const FIRST_ROUND_WITHIN_MS = 5000;
const DISCOVERY_TIMEOUT_MS = 1000;

export interface Surroundings {
  readonly link: DataPlaneLink;
  readonly httpClient: HttpClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Default: this machine's. */
  readonly resolver?: Resolver;
}

export interface Rooms {
  readonly state: AdminState;
  /** Publishes what is known, and begins to probe. */
  begin(): void;
  /** Takes in what the data plane tells, `stop` aside. */
  take(message: ToControlPlane): void;
  /** Has what was set through the admin API taken into force; resolves when it is. */
  restoreSettings(): Promise<void>;
  /** Goes by these settings, and tells what changed; or returns what speaks against them, having changed nothing. */
  replaceSettings(report: SettingsReport): readonly string[];
  /** Writes what is pending and closes the store. */
  close(): void;
}

/** Throws `UnusableDatabase`, `UnusableSettings`. */
export function openRooms(start: ControlPlaneStart, surroundings: Surroundings): Rooms {
  const { resume, startedAt } = start;
  const live = new SettingsInForce(start);
  const { settings } = live;
  const { link, httpClient, clock, random } = surroundings;
  const database = openDatabase(settings.dataDir);
  const nodesTable = new NodesTable(database, () => clock.wall());
  const registrations = registrationsOf(start, nodesTable, database);
  const settingsTable = new SettingsTable(database, () => clock.wall());
  const audit = new AuditTable(database, () => clock.wall());
  const log = createLog(settings.log.level);
  const metrics = new Metrics();
  const dropNotice = new DropNotice(clock, metrics, log);
  const keys = new ClientKeys(new KeysTable(database), settings.auth.keys, startedAt);
  const history = new History({
    database,
    clock,
    get days() {
      return live.settings.history.days;
    },
    get maxRows() {
      return live.settings.history.maxRows;
    },
    addressHmac: addressHmac(database),
    onDrop: (rows, reason) => dropNotice.dropped(rows, reason),
  });

  const firstRound = new FirstRound(clock, FIRST_ROUND_WITHIN_MS, resume?.settled ?? false, () => {
    publication.changed();
    modelTasks.tasks.wake();
  });
  const publication: Publication = new Publication({
    clock,
    resume,
    nodes: () => fleet.registry.all(),
    keys: () => keys.snapshot(),
    isSettled: () => firstRound.settled,
    sendSnapshot: (snapshot) => link.sendSnapshot(snapshot),
    sendTelemetry: (nodes) => link.sendTelemetry(nodes),
  });
  const ask = (pool: string, address: NodeAddress, node: RegisteredNode | null, timeoutMs: number) =>
    asker(
      httpClient,
      {
        target: { pool, ...placeOf(address), tls: node?.settings.tls ?? null, connectMs: timeoutMs },
        basePath: address.basePath,
        headers: node ? headersOf(node) : [],
      },
      timeoutMs,
    );
  const fleet: NodeFleet = new NodeFleet({
    clock,
    random,
    get intervalMs() {
      return live.settings.health.intervalMs;
    },
    nextVersion: () => publication.nextVersion,
    tunnelSocket: (id) => tunnelSocket(settings.dataDir, id),
    probe: async (node, engine, former) => {
      const silence = agentDesk.whySilent(node.id);
      if (silence !== null) return { kind: 'silent', detail: silence };
      return probeNode(
        ask(node.id, node.address, node, live.settings.health.timeoutMs),
        engine,
        node.settings.models !== undefined,
        former,
      );
    },
    onChange: () => publication.changed(),
    onTelemetry: (telemetry) => publication.telemetry(telemetry),
    onState: (node) => {
      const { settings: of, health: now } = node;
      log.info('node state', { node: of.name, state: now.state, detail: now.detail });
      modelTasks.nodeChanged(node);
    },
    onFirstProbe: (id) => {
      firstRound.done(id);
      modelTasks.nodeProbed(id);
    },
    onRemoved: (id) => {
      httpClient.retire(id);
      httpClient.retire(logPool(id));
      agentDesk.nodeRemoved(id);
      modelTasks.tasks.wake();
    },
  });
  const modelTasks: ModelTasks = new ModelTasks({
    settings: () => live.settings,
    clock,
    random,
    database,
    httpClient,
    log,
    fleet: () => fleet,
    isSettled: () => firstRound.settled,
    inForce: async () => void (await link.whenApplied(publication.flush())),
  });
  const fleetParts: FleetParts = {
    fleet,
    table: nodesTable,
    onChanged: (node, isMoved) => {
      if (isMoved) modelTasks.tasks.renew(node.id);
      modelTasks.nodeChanged(node);
    },
  };
  const finding = new Finding({
    settings: () => live.settings,
    clock,
    log,
    parts: () => fleetParts,
    firstRound,
    resolver: surroundings.resolver ?? systemResolver,
    probe: async (baseUrl) => {
      const pool = `discovery ${baseUrl}`;
      const result = await probeNode(ask(pool, readNodeUrl(baseUrl), null, DISCOVERY_TIMEOUT_MS), null, false);
      httpClient.retire(pool);
      return result;
    },
  });

  const tokens = new RegistrationTokens(new TokensTable(database));
  const agentDesk: AgentDesk = openAgentDesk({
    settings,
    clock,
    database,
    link,
    keys,
    tokens,
    log,
    nodesTable,
    fleet: () => fleet,
    noted: (action, subject, detail) => inForce(state, action, subject, detail),
    flush: () => void publication.flush(),
  });
  const state: AdminState = {
    get settings() {
      return live.settings;
    },
    get settingsReport() {
      return live.report;
    },
    startedAt,
    clock,
    link,
    httpClient,
    logSource: (node) => logSourceOf(node, live.settings.health.timeoutMs),
    fleet,
    publication,
    keys,
    database,
    history,
    nodesTable,
    settingsTable,
    audit,
    log,
    metrics,
    modelTasks,
    catalogue: new Catalogue({
      client: httpClient,
      clock,
      get url() {
        return live.settings.catalogue.url;
      },
      get cacheTtlMs() {
        return live.settings.catalogue.cacheTtlMs;
      },
    }),
    fleetModels: new FleetModels(httpClient, clock, () => live.settings.health.timeoutMs),
    tokens,
    agentDesk,
  };

  return {
    state,
    begin: () => {
      for (const { id } of registrations) firstRound.await(id);
      finding.announce();
      firstRound.begin();
      for (const registration of registrations) fleet.add(registration);
      publication.changed();
      publication.flush();
      agentDesk.begin();
      modelTasks.tasks.wake();
      finding.start();
    },
    take: (message) => {
      if (link.take(message)) return;
      if (message.kind === 'settlements') {
        const settlements = unpackSettlements(message.settlements);
        history.add(settlements);
        for (const settlement of settlements) metrics.settle(settlement);
        log.requests(settlements);
      } else if (message.kind === 'doubt') fleet.doubt(message.doubt);
      else if (message.kind === 'command') noteCommand(state, message.command);
      else if (message.kind === 'agents') agentDesk.take(message.told);
      else if (message.kind === 'log') log[message.level](message.message, message.detail);
    },
    restoreSettings: async () => {
      const overrides = settingsTable.all();
      // A control plane that was started anew finds them in force.
      if (resume !== null || Object.keys(overrides).length === 0) return;
      const problems = await link.askOverrides(overrides, true);
      if (problems.length > 0) log.error('what was set through the admin API is not in force', { problems });
    },
    replaceSettings: (report) => replaceSettings(report, { live, state, finding, fleetParts }),
    close: () => {
      modelTasks.tasks.stop();
      agentDesk.stop();
      finding.stop();
      fleet.stop();
      firstRound.stop();
      publication.stop();
      history.stop();
      database.close();
      log.close();
    },
  };
}

function registrationsOf(start: ControlPlaneStart, table: NodesTable, database: DatabaseSync): readonly Registration[] {
  try {
    return nodesAtStart(start, table);
  } catch (error) {
    database.close();
    throw error;
  }
}
