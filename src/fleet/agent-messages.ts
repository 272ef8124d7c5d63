import type { AgentAction } from './agent-words.ts';

// Between the thread of the agents' listener and the control plane, by way of the main thread. The listener knows sockets and
// tunnels, the control plane who may do what: every call is answered there.

/** From the agents' listener. */
export type FromAgentListener =
  | { readonly kind: 'call'; readonly question: number; readonly call: AgentCall }
  /** A node's tunnel was opened, or the last one it had is gone. */
  | { readonly kind: 'tunnel'; readonly nodeId: string; readonly isOpen: boolean };

export interface AgentCall {
  readonly action: AgentAction;
  /** As sent; null where none was. */
  readonly token: string | null;
  /** The agent's own secret; null where none usable was sent. */
  readonly identity: string | null;
  /** The address it comes from. */
  readonly peer: string;
  readonly body: unknown;
}

/** To the agents' listener. */
export type ToAgentListener =
  | { readonly kind: 'reply'; readonly question: number; readonly reply: AgentReply }
  /** Tell of every open tunnel: this control plane is new. */
  | { readonly kind: 'tunnels?' }
  /** Close the tunnels of these nodes. */
  | { readonly kind: 'end'; readonly nodeIds: readonly string[] };

export interface AgentReply {
  readonly status: number;
  readonly body: object;
  /** Of an allowed tunnel: whose it is. */
  readonly nodeId?: string;
}
