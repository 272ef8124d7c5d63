import type { LocalEngineKind } from '../../src/fleet/glossary.ts';
import type { AttemptEnd } from '../../src/fleet/settlement.ts';

// What a router can see over HTTP, and nothing else: the words between the simulated world and the routers and policies
// under test. True speeds, cache contents, answer lengths and the engines' queues are not in these types, and `policies/`
// and `routers/` may import nothing from `engine/` (seen.test.ts holds that), so no policy can cheat by accident.

/** A request as it arrives. */
export interface SeenRequest {
  readonly id: number;
  readonly model: string;
  /** Who pays, as a small number. */
  readonly caller: number;
  readonly arrivedAt: number;
  /** A router with the model's tokenizer knows them exactly; others have `bytes`. */
  readonly promptTokens: number;
  readonly bytes: number;
  /** The client's `max_tokens`, where it sends one. */
  readonly maxTokens: number | null;
  /** One id per full block of the prompt's text; equal leading ids mean an equal prefix. */
  readonly blocks: readonly number[];
  readonly blockTokens: number;
  /** How long the client is willing to wait for the first token; in effect only where a policy reads it. */
  readonly deadlineMs: number;
}

/** A node as its operator declared it, with what this router itself counted. */
export interface SeenNode {
  readonly index: number;
  readonly name: string;
  readonly engine: LocalEngineKind;
  /** What the operator configured or the engine tells; null where neither does. */
  readonly slots: number | null;
  readonly models: readonly string[];
  /** Requests this router has open there. */
  readonly inFlight: number;
  /** The last reading of its load, as old as polling makes it; null where the engine shows none. */
  readonly reading: Reading | null;
}

/** An engine's own word on its load; null for what this kind of engine does not show. */
export interface Reading {
  /** When it was read, ms of the run. */
  readonly readAt: number;
  readonly running: number | null;
  readonly waiting: number | null;
  /** Share of its key-value cache that running requests hold, 0 to 1. */
  readonly cacheUse: number | null;
  /** Uncached prompt tokens of the requests that wait inside. */
  readonly waitingTokens: number | null;
  /** Tokens generated per second over the last while. */
  readonly tokensPerSecond: number | null;
}

/** What comes back of an attempt. */
export type Heard =
  | { readonly kind: 'first-token' }
  /** So many more tokens than told so far. */
  | { readonly kind: 'tokens'; readonly count: number }
  /** `cachedTokens` is null where the engine does not tell. */
  | {
      readonly kind: 'end';
      readonly promptTokens: number;
      readonly completionTokens: number;
      readonly cachedTokens: number | null;
    }
  | { readonly kind: 'failed'; readonly end: AttemptEnd };

/** Why a client was turned away, in the words of the router's own errors. */
export type Refusal =
  | 'capacity_exceeded'
  | 'deadline_unreachable'
  | 'wait_timeout'
  | 'no_ready_node'
  | 'upstream_failed'
  | 'upstream_timeout'
  | 'model_not_found';

/** What a router may do. */
export interface Floor {
  readonly nodes: readonly SeenNode[];
  readonly random: () => number;
  /** Ms of the run. */
  now(): number;
  after(ms: number, run: () => void): () => void;
  /** Exactly at that instant: `after` may come a rounding error early. */
  at(dueAt: number, run: () => void): () => void;
  /** Sends a request to a node; what comes back is told with the attempt's number. */
  send(request: number, node: number): number;
  /** Closes an attempt's connection; nothing more is heard of it. */
  abort(attempt: number): void;
  /** Turns a client away. */
  refuse(request: number, why: Refusal, retryAfterMs: number | null): void;
  /** Tells that a place came free, and who would be let in now; for the books alone. */
  placeFreed(isOpenTo: (request: SeenRequest) => boolean): void;
  /** Asks a node for its health and load; the answer comes by `probed`. */
  probe(node: number): void;
  /** Asks a node for its load alone; an answer comes by `polled`. */
  poll(node: number): void;
}

/** A router under test. */
export interface Router {
  arrive(request: SeenRequest): void;
  /** The client gave up. */
  leave(request: number): void;
  heard(attempt: number, event: Heard): void;
  /** A probe's answer: null where there was none in time, else the load (null where the engine shows none). */
  probed(node: number, answer: { readonly reading: Reading | null } | null): void;
  /** A poll's answer; none comes of a node that does not answer or whose engine shows nothing. */
  polled(node: number, reading: Reading): void;
  /** Numbers of its own for the report. */
  report(): Readonly<Record<string, number>>;
}
