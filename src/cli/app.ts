import type { Settings } from '../fleet/settings.ts';

// What the command line needs of a running router, and no more. `startApp` of app-state.ts is given to it in main.ts,
// tests give their own.

export interface FoundNode {
  readonly name: string;
  readonly url: string;
  readonly engine: string;
  readonly state: string;
  readonly models: number;
}

export interface Listening {
  /** With the real port, such as http://127.0.0.1:9347. */
  readonly clientUrl: string;
  readonly adminUrl: string;
  /** Where agents join; null: nowhere. */
  readonly agentsUrl: string | null;
  /** Only where it was made at this start. */
  readonly adminToken: string | null;
}

export interface AppHooks {
  /** Called once when both listeners are up. */
  listening(listening: Listening): void;
  /** Called once when the first probe of every node has finished, or 5 s have passed. */
  settled(nodes: readonly FoundNode[]): void;
}

export interface RunningApp {
  /** Drains and stops everything; resolves when all is over, within timeouts.shutdown or soon after. */
  stop(): Promise<void>;
}

/** Starts the router. Rejects with an Error whose message is one sentence for people where it cannot. */
export type StartApp = (settings: Settings, hooks: AppHooks) => Promise<RunningApp>;
