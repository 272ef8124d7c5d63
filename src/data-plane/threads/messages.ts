import type { ToControlPlane } from '../../fleet/messages.ts';
import type { Settings } from '../../fleet/settings.ts';
import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import type { ThreadReport } from '../gauges.ts';
import type { KeyPlaces } from './shared-limits.ts';

// What the dispatcher's thread and a relay thread say to each other beside the rings: rare things, and the wakes.

/** Says that there is something to read in a ring. */
export const WAKE = 0;

/** What a relay thread is started with. */
export interface RelayStart {
  readonly settings: Settings;
  /** Its number; the dispatcher's thread is 0. */
  readonly thread: number;
  /** The clients' port, which all threads listen on. */
  readonly port: number;
  readonly toDispatcher: SharedArrayBuffer;
  readonly toRelay: SharedArrayBuffer;
  readonly shelf: SharedArrayBuffer;
  readonly board: SharedArrayBuffer;
  readonly limits: SharedArrayBuffer;
  readonly fleet: PublishedFleet;
}

export interface PublishedFleet {
  readonly snapshot: FleetSnapshot;
  readonly keyPlaces: KeyPlaces;
}

export type ToRelay =
  | typeof WAKE
  | ({ readonly kind: 'fleet' } & PublishedFleet)
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'abort'; readonly keyId: string }
  | { readonly kind: 'report?'; readonly question: number }
  | { readonly kind: 'drain'; readonly limitMs: number }
  /** Stop listening, tell what is left to tell, answer `stopped`. */
  | { readonly kind: 'stop' };

export type FromRelay =
  | typeof WAKE
  | { readonly kind: 'listening' }
  | { readonly kind: 'applied'; readonly version: number }
  | { readonly kind: 'report'; readonly question: number; readonly report: ThreadReport }
  | { readonly kind: 'tell'; readonly message: ToControlPlane }
  | { readonly kind: 'drained' }
  | { readonly kind: 'stopped' };
