import type { AgentCall, AgentReply, FromAgentListener, ToAgentListener } from '../fleet/agent-messages.ts';
import type { AgentBeat } from '../fleet/agent-words.ts';
import { AgentJoining, type JoiningOptions } from './agent-joining.ts';
import { AgentRefusal } from './agents/refusal.ts';
import { Heartbeats } from './agents/heartbeats.ts';
import { Reported, type ReportedLog } from './agents/reported.ts';
import type { RegisteredNode } from './nodes/registered-node.ts';
import { type RegistrationTokens, sha256 } from './registration-tokens.ts';
import type { StoredAgent } from './store/agents-table.ts';
import { StoreWriteError } from './store/database.ts';
import type { StoredToken } from './store/tokens-table.ts';
import type { Log } from './telemetry/log.ts';

// Where calls of agents are answered. A call needs two secrets: a registration token, which says that it may join at all, and the
// agent's own identity, which says which node it speaks for. An answer tells an agent of its own node only: no address of another,
// no key, no request. That a token was revoked holds from the next call on, and what is open under it is closed at once.

export interface AgentDeskOptions extends JoiningOptions {
  readonly timeoutMs: number;
  readonly tokens: RegistrationTokens;
  /** True for a secret that opens another door of this router. */
  readonly isOtherSecret: (secret: string) => boolean;
  readonly log: Log;
  readonly send: (message: ToAgentListener) => void;
}

/** A node's agent as administrators see it. */
export interface AgentView {
  readonly tokenId: string;
  /** Epoch ms. */
  readonly lastBeatAt: number | null;
  readonly silent: boolean;
  /** Whether requests go through its tunnel, and whether that is open. */
  readonly tunnel: 'none' | 'open' | 'closed';
  readonly agentVersion: string | null;
  readonly machine: AgentBeat['machine'] | null;
  readonly engine: AgentBeat['engine'] | null;
}

export class AgentDesk {
  readonly #options: AgentDeskOptions;
  readonly #heartbeats: Heartbeats;
  readonly #reported = new Reported();
  readonly #joining: AgentJoining;
  /** By the hash of the agent's identity. */
  readonly #agents = new Map<string, StoredAgent>();
  readonly #openTunnels = new Set<string>();

  constructor(options: AgentDeskOptions) {
    this.#options = options;
    this.#heartbeats = new Heartbeats({
      clock: options.clock,
      timeoutMs: options.timeoutMs,
      onSilent: (nodeId) => this.#look(nodeId),
    });
    for (const agent of options.agentsTable.all()) this.#agents.set(agent.identityHash, agent);
    this.#joining = new AgentJoining(options, this.#agents);
  }

  /** Begins to wait for the agents of nodes known from before. */
  begin(): void {
    for (const { nodeId } of this.#agents.values()) if (this.#node(nodeId)) this.#heartbeats.expect(nodeId);
    this.#options.send({ kind: 'tunnels?' });
  }

  stop(): void {
    this.#heartbeats.stop();
  }

  /** Takes in what the agents' listener tells. */
  take(told: FromAgentListener): void {
    if (told.kind === 'call') return void this.#reply(told.question, told.call);
    if (told.isOpen) this.#openTunnels.add(told.nodeId);
    else this.#openTunnels.delete(told.nodeId);
    this.#look(told.nodeId);
  }

  /** Why a node counts as gone whatever its engine answers; null where it does not. */
  whySilent(nodeId: string): string | null {
    return this.#heartbeats.whySilent(nodeId);
  }

  /** Null for nodes without an agent. */
  viewOf(node: RegisteredNode): AgentView | null {
    const agent = this.#agentOf(node.id);
    if (!agent || node.managedBy !== 'agent') return null;
    const beat = this.#reported.of(node.id);
    const isOpen = this.#openTunnels.has(node.id);
    return {
      tokenId: agent.tokenId,
      lastBeatAt: this.#heartbeats.lastAt(node.id),
      silent: this.#heartbeats.whySilent(node.id) !== null,
      tunnel: node.settings.viaTunnel ? (isOpen ? 'open' : 'closed') : 'none',
      agentVersion: beat?.agentVersion ?? null,
      machine: beat?.machine ?? null,
      engine: beat?.engine ?? null,
    };
  }

  /** Null where no agent offers one. */
  logOf(nodeId: string): ReportedLog | null {
    return this.#reported.logOf(nodeId);
  }

  /** The nodes whose agents came with that token at last. */
  nodesOfToken(tokenId: string): readonly RegisteredNode[] {
    return this.#joining.nodesOfToken(tokenId);
  }

  /** Cuts its agents off; resolves with the names of their nodes once these count as offline. */
  async tokenRevoked(tokenId: string): Promise<readonly string[]> {
    const nodes = this.nodesOfToken(tokenId);
    this.#cutOff(nodes, 'The registration token of its agent was revoked. Give the agent another one.');
    await Promise.all(nodes.map((node) => this.#options.fleet().probeNow(node)));
    return nodes.map(({ settings }) => settings.name);
  }

  nodeRemoved(nodeId: string): void {
    this.#heartbeats.forget(nodeId);
    this.#reported.forget(nodeId);
    this.#openTunnels.delete(nodeId);
    const agent = this.#agentOf(nodeId);
    if (!agent) return;
    this.#agents.delete(agent.identityHash);
    this.#options.send({ kind: 'end', nodeIds: [nodeId] });
  }

  async #reply(question: number, call: AgentCall): Promise<void> {
    this.#options.send({ kind: 'reply', question, reply: await this.#answer(call) });
  }

  async #answer(call: AgentCall): Promise<AgentReply> {
    const { log } = this.#options;
    try {
      return await this.#act(call);
    } catch (error) {
      if (error instanceof AgentRefusal) return refused(error);
      if (error instanceof StoreWriteError) {
        return refused(new AgentRefusal(503, 'store_unavailable', 'The router cannot write its database now.'));
      }
      log.error('an agent could not be answered', { error: error instanceof Error ? error.stack : String(error) });
      return refused(new AgentRefusal(500, 'internal_error', 'The router made a mistake. Its log has the details.'));
    }
  }

  async #act({ action, token: secret, identity, peer, body }: AgentCall): Promise<AgentReply> {
    const token = this.#tokenOf(secret);
    if (identity === null) {
      throw new AgentRefusal(400, 'invalid_request', 'An agent says who it is in x-weir-agent, as weir agent does.');
    }
    const identityHash = sha256(identity);
    if (action === 'register') {
      const { readRegistration } = await import('./agents/agent-input.ts');
      const read = readRegistration(body);
      if (read.kind === 'bad') throw new AgentRefusal(400, 'invalid_request', read.problem);
      const node = this.#joining.join(this.#tokenOf(secret), identityHash, peer, read.value);
      this.#heartbeats.beat(node.id);
      return { status: 200, body: await this.#joining.welcome(node) };
    }
    const agent = this.#agents.get(identityHash);
    const node = agent ? this.#node(agent.nodeId) : null;
    if (!node || agent?.tokenId !== token.id) {
      throw new AgentRefusal(404, 'unknown_agent', 'No node is registered by this agent and token. Register it.');
    }
    if (action === 'tunnel') {
      if (!node.settings.viaTunnel) {
        throw new AgentRefusal(409, 'not_tunnelled', 'The node is registered to be reached without a tunnel.');
      }
      return { status: 101, body: {}, nodeId: node.id };
    }
    const { readBeat } = await import('./agents/agent-input.ts');
    const read = readBeat(body);
    if (read.kind === 'bad') throw new AgentRefusal(400, 'invalid_request', read.problem);
    // Asked again: what was awaited above may have taken as long as a revocation.
    this.#tokenOf(secret);
    if (this.#node(node.id) !== node) throw new AgentRefusal(404, 'unknown_agent', 'The node was removed.');
    this.#reported.take(node.id, read.value);
    if (this.#heartbeats.beat(node.id)) this.#look(node.id);
    return { status: 200, body: { heartbeatMs: this.#options.heartbeatMs } };
  }

  /** Throws `AgentRefusal`. */
  #tokenOf(secret: string | null): StoredToken {
    const { tokens, clock, isOtherSecret } = this.#options;
    const found = secret === null ? null : tokens.find(secret, clock.wall());
    if (found?.kind === 'valid') return found.token;
    if (found?.kind === 'expired') {
      this.#cutOff(this.nodesOfToken(found.token.id), 'The registration token of its agent has expired.');
      throw new AgentRefusal(401, 'token_expired', 'The registration token has expired. Ask for another one.');
    }
    if (secret !== null && isOtherSecret(secret)) {
      const what = 'This opens another door of the router; agents need a registration token (weir tokens add LABEL).';
      throw new AgentRefusal(403, 'wrong_scope', what);
    }
    const what =
      secret === null
        ? 'Send a registration token as "Authorization: Bearer TOKEN".'
        : 'The registration token is not known, or was revoked. Ask for another one (weir tokens add LABEL).';
    throw new AgentRefusal(401, 'unauthorized', what);
  }

  #cutOff(nodes: readonly RegisteredNode[], why: string): void {
    for (const { id } of nodes) {
      this.#heartbeats.silence(id, why);
      this.#openTunnels.delete(id);
    }
    this.#options.send({ kind: 'end', nodeIds: nodes.map(({ id }) => id) });
  }

  /** Its state may be another now. */
  #look(nodeId: string): void {
    const node = this.#node(nodeId);
    if (node) void this.#options.fleet().probeNow(node);
  }

  #node(nodeId: string): RegisteredNode | null {
    const node = this.#options.fleet().registry.byId(nodeId);
    return node?.managedBy === 'agent' ? node : null;
  }

  #agentOf(nodeId: string): StoredAgent | null {
    return [...this.#agents.values()].find((agent) => agent.nodeId === nodeId) ?? null;
  }
}

function refused({ status, code, message }: AgentRefusal): AgentReply {
  return { status, body: { error: { code, message } } };
}
