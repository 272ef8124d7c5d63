import type { FromAgentListener, ToAgentListener } from '../fleet/agent-messages.ts';
import type { Address, ListenerTls } from '../fleet/settings.ts';

// Between the thread of the agents' listener and agent-listener-host.ts on the main thread, which passes on what is the control plane's.

export interface ListenerStart {
  readonly listen: Address;
  readonly tls: ListenerTls | null;
  readonly dataDir: string;
}

export type FromListenerThread =
  | { readonly kind: 'listening'; readonly url: string; readonly port: number }
  /** It cannot start, and another try would not help. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'told'; readonly told: FromAgentListener }
  | { readonly kind: 'stopped' };

export type ToListenerThread = ToAgentListener | { readonly kind: 'stop' };
