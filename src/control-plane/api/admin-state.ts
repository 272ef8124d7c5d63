import type { DatabaseSync } from 'node:sqlite';
import type { Settings } from '../../fleet/settings.ts';
import type { SettingsReport } from '../../fleet/settings-report.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { AgentDesk } from '../agent-desk.ts';
import type { ClientKeys } from '../client-keys.ts';
import type { DataPlaneLink } from '../data-plane-link.ts';
import type { FleetModels } from '../model-facts.ts';
import type { ModelTasks } from '../model-tasks.ts';
import type { Catalogue } from '../models/catalogue.ts';
import type { NodeFleet } from '../nodes/node-fleet.ts';
import type { LogSource } from '../nodes/node-log.ts';
import type { Publication } from '../nodes/publication.ts';
import type { RegisteredNode } from '../nodes/registered-node.ts';
import type { RegistrationTokens } from '../registration-tokens.ts';
import type { AuditTable } from '../store/audit-table.ts';
import { StoreWriteError } from '../store/database.ts';
import type { History } from '../store/history.ts';
import type { NodesTable } from '../store/nodes-table.ts';
import type { SettingsTable } from '../store/settings-table.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ApiError } from './call.ts';

// What the resources of the admin API work with, and what all writes share: the store first (a write that would be lost at
// the next start is refused), then the fleet, then the wait until the data plane places by it.

export interface AdminState {
  /** Those in force now. */
  readonly settings: Settings;
  readonly settingsReport: SettingsReport;
  /** Epoch ms of the router's start. */
  readonly startedAt: number;
  readonly clock: Clock;
  readonly link: DataPlaneLink;
  readonly httpClient: HttpClient;
  /** Where a node's log is read; null where nobody said. */
  readonly logSource: (node: RegisteredNode) => LogSource | null;
  readonly fleet: NodeFleet;
  readonly publication: Publication;
  readonly keys: ClientKeys;
  readonly tokens: RegistrationTokens;
  readonly agentDesk: AgentDesk;
  readonly database: DatabaseSync;
  readonly history: History;
  readonly nodesTable: NodesTable;
  readonly settingsTable: SettingsTable;
  readonly audit: AuditTable;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly modelTasks: ModelTasks;
  readonly fleetModels: FleetModels;
  readonly catalogue: Catalogue;
}

/** Runs a write to the store; throws `ApiError` 503 where it cannot be kept. */
export function kept<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof StoreWriteError)) throw error;
    throw new ApiError(
      503,
      'store_unavailable',
      `Nothing was changed, because the database could not be written: ${error.message}. Check the disk of dataDir.`,
    );
  }
}

/** Notes a write, and resolves once the data plane places by it, or after 2 s. */
export async function inForce(
  { publication, link, audit, log }: AdminState,
  action: string,
  subject: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  audit.recordIfPossible(action, subject, detail, (reason) =>
    log.warn('an audit row could not be written', { action, subject, reason }),
  );
  const version = publication.flush();
  if (!(await link.whenApplied(version))) {
    log.warn('the data plane has not taken a change in time', { action, subject, version });
  }
}

/** Resolves when `work` does, or after `ms`. */
export function atMost(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    work.then(resolve, reject).finally(cancel);
  });
}
