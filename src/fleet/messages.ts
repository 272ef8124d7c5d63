import type { FromAgentListener, ToAgentListener } from './agent-messages.ts';
import type { AttemptEnd } from './settlement.ts';
import type { FleetSnapshot } from './snapshot.ts';
import type { SettlementBatch } from './settlement-batch.ts';
import type { Settings } from './settings.ts';
import type { Overrides, SettingsReport } from './settings-report.ts';
import type { Gauges, NodeTelemetry } from './telemetry.ts';

// What the two planes say to each other, over one MessagePort. Both sides send and forget; only these things are answered: a snapshot
// by `applied` (so that an admin's 204 means "in force"), a question for gauges, and settings, which both planes take or neither does.

/** From the data plane (main thread) to the control plane (worker). */
export type ToControlPlane =
  | { readonly kind: 'settlements'; readonly settlements: SettlementBatch }
  /** The data plane places by this snapshot version from now on. */
  | { readonly kind: 'applied'; readonly version: number }
  | { readonly kind: 'gauges'; readonly question: number; readonly gauges: Gauges }
  | { readonly kind: 'doubt'; readonly doubt: NodeDoubt }
  | { readonly kind: 'command'; readonly command: NodeCommand }
  /** A line for the router's log from the data plane: rare things only, never per request. */
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly message: string;
      readonly detail?: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'agents'; readonly told: FromAgentListener }
  /** Settings that are to be in force; answered by `settings-taken`. */
  | { readonly kind: 'settings'; readonly question: number; readonly report: SettingsReport }
  /** What is wrong with the overrides that were asked about; nothing, and they are right. */
  | { readonly kind: 'overrides-judged'; readonly question: number; readonly problems: readonly string[] }
  /** Write what is pending, answer `stopped`, exit. */
  | { readonly kind: 'stop' };

/** Something a request learned of a node, which the control plane should check at once. */
export interface NodeDoubt {
  readonly index: number;
  readonly generation: number;
  readonly reason: 'unauthorized' | 'loading' | 'model-missing' | 'unreachable';
  readonly model: string | null;
}

/** Ollama's commands that change a node. */
export type CommandName = 'pull' | 'push' | 'create' | 'copy' | 'delete';

/** A client's key changed a node, or tried to: to be noted, and the node looked at again. */
export interface NodeCommand {
  readonly requestId: string;
  readonly command: CommandName;
  /** Every model it names, as the client wrote it. */
  readonly models: readonly string[];
  readonly node: { readonly index: number; readonly generation: number; readonly id: string; readonly name: string };
  readonly key: { readonly id: string; readonly label: string };
  readonly end: AttemptEnd;
}

/** From the control plane to the data plane. */
export type ToDataPlane =
  /** The admin listener is up. `adminToken` is set only when it was made at this start: print it once. */
  | { readonly kind: 'started'; readonly adminUrl: string; readonly adminToken: string | null }
  /** It cannot start and a restart would not help (port in use, unusable database). */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'snapshot'; readonly snapshot: FleetSnapshot }
  | { readonly kind: 'telemetry'; readonly nodes: readonly NodeTelemetry[] }
  | { readonly kind: 'gauges?'; readonly question: number }
  /** They are in force in the control plane, or nothing is changed there because of these problems. */
  | { readonly kind: 'settings-taken'; readonly question: number; readonly problems: readonly string[] }
  /** All that is set through the admin API: to be judged, and if `apply` to be taken. Answered by `overrides-judged`. */
  | {
      readonly kind: 'overrides?';
      readonly question: number;
      readonly overrides: Overrides;
      readonly apply: boolean;
    }
  /** A key was revoked with ?abort=true: end what runs under it. */
  | { readonly kind: 'abort'; readonly keyId: string }
  | { readonly kind: 'agents'; readonly told: ToAgentListener }
  | { readonly kind: 'stopped' };

/** What the worker is started with. `resume` is the snapshot in force when a former control plane died: indexes, generations and last known states are kept. */
export interface ControlPlaneStart {
  readonly settings: Settings;
  /** Where they come from; its own `settings` are not read. Absent: nothing is known of that. */
  readonly report?: SettingsReport;
  readonly resume: FleetSnapshot | null;
  /** Epoch ms when the router (not this worker) started. */
  readonly startedAt: number;
}
