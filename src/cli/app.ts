import type { Settings } from '../fleet/settings.ts';
import type { Overrides, SettingsReport } from '../fleet/settings-report.ts';

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

/** Where settings come from while the router runs. */
export interface SettingsSource {
  readonly report: SettingsReport;
  /** Names who takes settings into force; `take` resolves with what speaks against them, and then nothing has changed. */
  connect(take: (report: SettingsReport) => Promise<readonly string[]>): void;
  /** Judges all that is set through the admin API, and takes it if told so; resolves with what is wrong. */
  override(overrides: Overrides, apply: boolean): Promise<readonly string[]>;
}

export interface AppHooks {
  /** Without one the settings stay as they are. */
  readonly source?: SettingsSource;
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
