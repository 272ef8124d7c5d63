import type { LocalEngineKind } from './glossary.ts';

// What agents and routers say to each other. An agent registers its node, then tells every few seconds how its machine and its engine
// are; each of these is one POST with a JSON body on the agents' listener. Both sides may be of different versions, so fields
// that are not known are ignored, and those that are missing count as not known.

/** Over `/agent/register`. */
export interface AgentRegistration {
  readonly name: string;
  /** Of the engine: as the router reaches it, or through the tunnel as the agent does. */
  readonly url: string;
  readonly viaTunnel: boolean;
  readonly engine: LocalEngineKind | 'auto';
  readonly maxConcurrent?: number;
  readonly apiKey?: string;
  readonly tags?: readonly string[];
  readonly agentVersion: string;
}

/** The router's answer to a registration. */
export interface AgentWelcome {
  readonly nodeId: string;
  /** The node's state as the router sees it now. */
  readonly state: string;
  /** It takes no requests until an administrator resumes it. */
  readonly draining: boolean;
  readonly heartbeatMs: number;
}

/** Over `/agent/heartbeat`. */
export interface AgentBeat {
  readonly agentVersion: string;
  readonly machine: Machine;
  readonly engine: { readonly isReachable: boolean; readonly kind: string | null; readonly version: string | null };
  /** Lines of the engine's log since the last one, oldest first; null: it has none to offer. */
  readonly log: readonly string[] | null;
}

/** A number that is not known is null, never 0. */
export interface Machine {
  readonly hostname: string;
  /** Such as `linux 6.1.0 x64`. */
  readonly system: string;
  readonly cpus: number;
  /** Of all of them, since the heartbeat before; 0 to 1. */
  readonly cpuUse: number | null;
  readonly memoryBytes: number;
  readonly memoryUsedBytes: number;
  readonly gpus: readonly Gpu[];
}

export interface Gpu {
  readonly name: string;
  /** 0 to 1. */
  readonly use: number | null;
  readonly memoryBytes: number | null;
  readonly memoryUsedBytes: number | null;
  readonly temperatureCelsius: number | null;
  readonly powerWatts: number | null;
}

/** The header by which an agent proves that it is the one that registered its node. */
export const IDENTITY_HEADER = 'x-weir-agent';

/** What a tunnel is asked for with (RFC 9110, 7.8). */
export const TUNNEL_PROTOCOL = 'weir-tunnel';

/** The paths of the agents' listener. */
export const agentPaths = {
  register: '/agent/register',
  heartbeat: '/agent/heartbeat',
  tunnel: '/agent/tunnel',
} as const;

export type AgentAction = keyof typeof agentPaths;
