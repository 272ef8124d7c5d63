import type { DatabaseSync } from 'node:sqlite';
import type { Settings } from '../fleet/settings.ts';
import type { Clock } from '../lib/clock.ts';
import { AgentDesk } from './agent-desk.ts';
import type { JoiningOptions } from './agent-joining.ts';
import { AgentRefusal } from './agents/refusal.ts';
import type { ClientKeys } from './client-keys.ts';
import type { DataPlaneLink } from './data-plane-link.ts';
import { type RegistrationTokens, sha256 } from './registration-tokens.ts';
import { AgentsTable } from './store/agents-table.ts';
import type { Log } from './telemetry/log.ts';

export interface DeskSurroundings extends Pick<JoiningOptions, 'fleet' | 'nodesTable' | 'noted' | 'flush'> {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly database: DatabaseSync;
  readonly link: DataPlaneLink;
  readonly keys: ClientKeys;
  readonly tokens: RegistrationTokens;
  readonly log: Log;
}

/** The desk with the threads to the other rooms. */
export function openAgentDesk(surroundings: DeskSurroundings): AgentDesk {
  const { settings, database, link, keys, clock } = surroundings;
  const adminHash = settings.admin.token === null ? null : sha256(settings.admin.token);
  const ports = [settings.listen, settings.admin.listen, settings.agents.listen].map((address) => address?.port);
  const own = new Set(ports.map((port) => `http://127.0.0.1:${port}`));
  return new AgentDesk({
    ...surroundings,
    ...settings.agents,
    agentsTable: new AgentsTable(database, () => clock.wall()),
    isOtherSecret: (secret) => sha256(secret) === adminHash || keys.snapshot().has(sha256(secret)),
    send: (told) => link.send({ kind: 'agents', told }),
    refuseOwnAddress: (baseUrl) => {
      if (!own.has(baseUrl)) return;
      throw new AgentRefusal(400, 'invalid_request', "url: is the router's own address. Give the engine's.");
    },
  });
}
