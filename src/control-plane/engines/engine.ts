import type { EngineKind } from '../../fleet/glossary.ts';
import type { EngineLoad, ProbedModel } from '../probe.ts';
import type { Answer, Ask } from './ask.ts';

// The common shape of the engine files. Recognition is by what only that engine has; a probe asks as little as tells the
// state, the models and, where the engine says so, slots and load.

export interface EngineReport {
  readonly state: 'ready' | 'loading';
  readonly models: readonly ProbedModel[] | null;
  readonly slots: number | null;
  readonly load: EngineLoad;
  readonly version: string | null;
}

export interface Engine {
  readonly kind: EngineKind;
  /** True where the answer to `/v1/models` alone tells this engine from all others. */
  readonly isListedBy?: (list: Answer) => boolean;
  /** Asks what only this engine answers. */
  readonly recognise?: (ask: Ask) => Promise<boolean>;
  /** Rejects with `ProbeStop` for anything that is not this engine in order. */
  readonly probe: (ask: Ask, listIsOptional: boolean) => Promise<EngineReport>;
}

/** How long a probe waits for load figures, which an engine may compute between two batches of its real work. */
export const LOAD_WITHIN_MS = 1000;
