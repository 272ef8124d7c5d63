import type { LocalEngineKind } from '../../src/fleet/glossary.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { Fault } from './faults.ts';
import { profiles, type Profile } from './profiles.ts';

export interface EngineOptions {
  /** Which engine it looks like. Default `openai`. */
  readonly kind?: LocalEngineKind;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default `['llama3']`. */
  readonly models?: readonly string[];
  /** Requests computed at once; per model where the engine counts so. Default 4. */
  readonly slots?: number;
  /** Requests that may wait inside it; one more is answered 503. Default no limit. */
  readonly maxWaiting?: number;
  /** Prompt tokens per second, shared by all requests. Default 8000. */
  readonly promptTokensPerSecond?: number;
  /** Ms of one decoding step for a batch of n: `stepMs + n × stepPerSequenceMs`. Default 10 and 1. */
  readonly stepMs?: number;
  readonly stepPerSequenceMs?: number;
  /** Length of an answer that no limit cuts, drawn from the request's text. Default 16 to 64. */
  readonly outputTokens?: { readonly min: number; readonly max: number };
  /** A longer prompt is refused with 400. Default 8192. */
  readonly contextTokens?: number;
  readonly embeddingSize?: number;
  /** Ms to load a model into memory. Default 0. */
  readonly loadMs?: number;
  /** Whether models start out of memory. Default false. */
  readonly cold?: boolean;
  /** Models in memory at once; the longest unused idle one makes room. Default no limit. */
  readonly maxResident?: number;
  /** Ms before an idle connection is closed; null for never. Default as the engine does. */
  readonly keepAliveMs?: number | null;
  /** Required as a bearer token on every path but those of `/sim/`. */
  readonly apiKey?: string;
  readonly faults?: readonly Fault[];
  /** How many times faster than said all of the above goes. Default 1. */
  readonly timeScale?: number;
  readonly clock?: Clock;
}

/** The options with every default filled in; all times already divided by the time scale. */
export interface EngineSettings {
  readonly kind: LocalEngineKind;
  readonly profile: Profile;
  readonly host: string;
  readonly port: number;
  readonly models: readonly string[];
  readonly slots: number;
  readonly maxWaiting: number;
  readonly promptTokensPerSecond: number;
  readonly stepMs: number;
  readonly stepPerSequenceMs: number;
  readonly outputTokens: { readonly min: number; readonly max: number };
  readonly contextTokens: number;
  readonly embeddingSize: number;
  readonly loadMs: number;
  readonly cold: boolean;
  readonly maxResident: number;
  readonly keepAliveMs: number | null;
  readonly apiKey: string | null;
  readonly faults: readonly Fault[];
  readonly timeScale: number;
  readonly clock: Clock;
}

/** Fills in defaults; throws a RangeError that names an option which makes no sense. */
export function settle(options: EngineOptions): EngineSettings {
  const kind = options.kind ?? 'openai';
  const profile = profiles[kind];
  const timeScale = atLeast('timeScale', options.timeScale ?? 1, Number.EPSILON);
  const keepAliveMs = options.keepAliveMs === undefined ? profile.keepAliveMs : options.keepAliveMs;
  const outputTokens = options.outputTokens ?? { min: 16, max: 64 };
  atLeast('outputTokens.min', outputTokens.min, 1);
  atLeast('outputTokens.max', outputTokens.max, outputTokens.min);
  const models = options.models ?? ['llama3'];
  if (models.length === 0) throw new RangeError('models: name at least one');
  return {
    kind,
    profile,
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    models,
    slots: atLeast('slots', options.slots ?? 4, 1),
    maxWaiting: atLeast('maxWaiting', options.maxWaiting ?? Infinity, 0),
    promptTokensPerSecond: atLeast('promptTokensPerSecond', options.promptTokensPerSecond ?? 8000, 1) * timeScale,
    stepMs: atLeast('stepMs', options.stepMs ?? 10, 0) / timeScale,
    stepPerSequenceMs: atLeast('stepPerSequenceMs', options.stepPerSequenceMs ?? 1, 0) / timeScale,
    outputTokens,
    contextTokens: atLeast('contextTokens', options.contextTokens ?? 8192, 1),
    embeddingSize: atLeast('embeddingSize', options.embeddingSize ?? 64, 1),
    loadMs: atLeast('loadMs', options.loadMs ?? 0, 0) / timeScale,
    cold: options.cold ?? false,
    maxResident: atLeast('maxResident', options.maxResident ?? Infinity, 1),
    keepAliveMs: keepAliveMs === null ? null : atLeast('keepAliveMs', keepAliveMs, 1) / timeScale,
    apiKey: options.apiKey ?? null,
    faults: options.faults ?? [],
    timeScale,
    clock: options.clock ?? systemClock,
  };
}

function atLeast(name: string, value: number, least: number): number {
  if (value >= least) return value;
  throw new RangeError(`${name}: ${value} is not a number of at least ${least}`);
}
