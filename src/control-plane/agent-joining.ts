import type { AgentRegistration, AgentWelcome } from '../fleet/agent-words.ts';
import type { NodeSettings } from '../fleet/settings.ts';
import type { Clock } from '../lib/clock.ts';
import { AgentRefusal } from './agents/refusal.ts';
import { NodeUrlError, readNodeUrl, sameMachineUrl } from './nodes/node-address.ts';
import type { NodeFleet } from './nodes/node-fleet.ts';
import type { RegisteredNode } from './nodes/registered-node.ts';
import type { AgentsTable, StoredAgent } from './store/agents-table.ts';
import type { NodesTable } from './store/nodes-table.ts';
import type { StoredToken } from './store/tokens-table.ts';

// How an agent's node comes into the fleet, and stays itself there. A node is found by its agent's identity: under a new address,
// name or token it keeps its id, and with it its history, whether it drains, and what was learned of it.

const FIRST_PROBE_WITHIN_MS = 5000;

export interface JoiningOptions {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly fleet: () => NodeFleet;
  readonly nodesTable: NodesTable;
  readonly agentsTable: AgentsTable;
  /** Writes a row of the audit log and waits until the data plane places by what was changed. */
  readonly noted: (action: string, subject: string, detail: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Publishes at once what waits to be. */
  readonly flush: () => void;
  /** Throws `AgentRefusal` where that address cannot be an engine's. */
  readonly refuseOwnAddress: (baseUrl: string) => void;
}

export class AgentJoining {
  readonly #options: JoiningOptions;
  readonly #agents: Map<string, StoredAgent>;

  /** `agents`: by the hash of the identity; added to here. */
  constructor(options: JoiningOptions, agents: Map<string, StoredAgent>) {
    this.#options = options;
    this.#agents = agents;
  }

  nodesOfToken(tokenId: string): readonly RegisteredNode[] {
    const { registry } = this.#options.fleet();
    return [...this.#agents.values()]
      .filter((agent) => agent.tokenId === tokenId)
      .flatMap(({ nodeId }) => registry.byId(nodeId) ?? [])
      .filter((node) => node.managedBy === 'agent');
  }

  /** Registers the agent's node, or changes it to what the agent says now. Throws `AgentRefusal`, `StoreWriteError`. */
  join(token: StoredToken, identityHash: string, peer: string, wanted: AgentRegistration): RegisteredNode {
    const { agentsTable, noted } = this.#options;
    const { registry } = this.#options.fleet();
    const settings = settingsOf(wanted);
    const baseUrl = this.#checkedUrl(wanted, peer);
    const agent = this.#agents.get(identityHash);
    const known = agent ? registry.byId(agent.nodeId) : null;
    const before = known?.managedBy === 'agent' ? known : null;
    this.#refuseTakenName(settings.name, before);
    this.#refuseOneTooMany(token, before);

    const isNews = agent?.tokenId !== token.id || JSON.stringify(before?.settings) !== JSON.stringify(settings);
    const node = before
      ? this.#changed(before, settings)
      : this.#added(settings, wanted.viaTunnel ? null : baseUrl, token);
    const stored = { nodeId: node.id, identityHash, tokenId: token.id };
    agentsTable.put(stored);
    this.#agents.set(identityHash, stored);
    if (isNews) void noted(before ? 'node.rejoin' : 'node.join', node.id, detailOf(node, token));
    return node;
  }

  /** Resolves when the node was probed, or after 5 s. */
  async welcome(node: RegisteredNode): Promise<AgentWelcome> {
    const { clock, heartbeatMs } = this.#options;
    const probed = this.#options.fleet().probeNow(node);
    // Through a tunnel it cannot be reached before this is answered.
    if (!node.settings.viaTunnel) {
      await new Promise<void>((resolve, reject) => {
        const cancel = clock.after(FIRST_PROBE_WITHIN_MS, resolve);
        probed.then(resolve, reject).finally(cancel);
      });
    }
    return { nodeId: node.id, state: node.health.state, draining: node.draining, heartbeatMs };
  }

  #added(settings: NodeSettings, baseUrl: string | null, { needsApproval }: StoredToken): RegisteredNode {
    const { nodesTable } = this.#options;
    const fleet = this.#options.fleet();
    const found = fleet.registry
      .all()
      .find((node) => node.managedBy === 'discovery' && sameMachineUrl(node.address.baseUrl) === baseUrl);
    const id = nodesTable.put(settings.name, 'agent', settings);
    if (needsApproval) nodesTable.setDraining(id, true);
    if (found) fleet.remove(found);
    return fleet.add({ id, managedBy: 'agent', settings, draining: needsApproval });
  }

  #changed(node: RegisteredNode, settings: NodeSettings): RegisteredNode {
    if (JSON.stringify(node.settings) === JSON.stringify(settings)) return node;
    const { nodesTable, fleet, flush } = this.#options;
    nodesTable.change(node.id, settings);
    if (node.settings.url !== settings.url || node.settings.viaTunnel !== settings.viaTunnel) {
      // A change of address is another registration to the data plane, and what runs under the former is left to run. But here
      // nothing answers at the former any more: so it is told first that the node is gone from there.
      fleet().giveUp(node, 'Its engine has moved.');
      flush();
    }
    fleet().change(node, settings);
    return node;
  }

  #refuseTakenName(name: string, self: RegisteredNode | null): void {
    const other = this.#options.fleet().registry.byName(name);
    if (!other || other === self) return;
    throw new AgentRefusal(409, 'name_taken', `There is another node called ${name}. Choose another name: --name.`);
  }

  #refuseOneTooMany(token: StoredToken, self: RegisteredNode | null): void {
    if (token.maxNodes === null) return;
    const others = this.nodesOfToken(token.id).filter((node) => node !== self);
    if (others.length < token.maxNodes) return;
    const limit = token.maxNodes === 1 ? 'one node' : `${token.maxNodes} nodes`;
    throw new AgentRefusal(
      403,
      'too_many_nodes',
      `The registration token is for ${limit}, which it has. Ask for another.`,
    );
  }

  /** The base URL, with this machine's loopback in one form. Throws `AgentRefusal`. */
  #checkedUrl({ url, viaTunnel }: AgentRegistration, peer: string): string {
    try {
      const { baseUrl } = readNodeUrl(url);
      if (viaTunnel) return baseUrl;
      const same = sameMachineUrl(baseUrl);
      if (isLocal(same) && !isLoopbackPeer(peer)) {
        const what = `The router cannot reach ${url}: that is your own machine. Give the address it reaches, --advertise http://ADDRESS:PORT, or use --tunnel.`;
        throw new AgentRefusal(400, 'unreachable_address', what);
      }
      this.#options.refuseOwnAddress(same);
      return same;
    } catch (error) {
      if (error instanceof NodeUrlError) throw new AgentRefusal(400, 'invalid_request', `url: ${error.message}`);
      throw error;
    }
  }
}

function settingsOf({ name, url, viaTunnel, engine, maxConcurrent, apiKey, tags }: AgentRegistration): NodeSettings {
  return {
    name,
    url,
    engine,
    headers: {},
    ...(viaTunnel ? { viaTunnel } : {}),
    ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function detailOf({ settings }: RegisteredNode, token: StoredToken): Readonly<Record<string, unknown>> {
  return { name: settings.name, url: settings.url, tunnel: settings.viaTunnel ?? false, tokenId: token.id };
}

function isLocal(sameUrl: string): boolean {
  return new URL(sameUrl).hostname === '127.0.0.1';
}

function isLoopbackPeer(peer: string): boolean {
  return /^(?:::ffff:)?127\.|^::1$/.test(peer);
}
