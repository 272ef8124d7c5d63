import type { HttpClient } from '../http-client/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { canonicalModel } from '../fleet/glossary.ts';
import { ContextLengths } from './models/context-lengths.ts';
import { nodeCall } from './models/node-call.ts';
import { headersOf, targetOf } from './node-calls.ts';
import type { ListedModel, RegisteredNode } from './nodes/registered-node.ts';
import type { ProbedModel } from './probe.ts';

/** A model on a node: what the node offers and what its engine tells of it, null where it does not. */
export interface ModelFacts {
  /** The public name; null: it is there and not offered. */
  readonly model: string | null;
  /** The engine's own name. */
  readonly upstream: string;
  /** The engine listed it; null: it has not listed anything yet. */
  readonly present: boolean | null;
  /** In memory. */
  readonly loaded: boolean | null;
  /** False only while the engine loads it. */
  readonly ready: boolean;
  readonly slots: number | null;
  readonly sizeBytes: number | null;
  readonly quantization: string | null;
  readonly contextTokens: number | null;
}

export class FleetModels {
  readonly #client: HttpClient;
  readonly #clock: Clock;
  readonly #connectMs: () => number;
  readonly #contexts: ContextLengths;

  constructor(client: HttpClient, clock: Clock, connectMs: () => number) {
    this.#client = client;
    this.#clock = clock;
    this.#connectMs = connectMs;
    this.#contexts = new ContextLengths(clock);
  }

  /** What is known now; those that are offered first. */
  of({ models, listed }: RegisteredNode): readonly ModelFacts[] {
    const byName = new Map(listed?.map((probed) => [canonicalModel(probed.name), probed]));
    const offers = (models ?? []).map((offer) => {
      const probed = byName.get(canonicalModel(offer.upstream)) ?? null;
      return this.#facts(offer, probed, listed === null ? null : probed !== null);
    });
    const offered = new Set(models?.map(({ upstream }) => canonicalModel(upstream)));
    const others = [...byName]
      .filter(([name]) => !offered.has(name))
      .map(([, probed]) => this.#facts(null, probed, true));
    return [...offers, ...others];
  }

  /** Asks engines for what their lists leave out. Never rejects for anything a node does. */
  async learn(nodes: readonly RegisteredNode[]): Promise<void> {
    const { signal } = new AbortController();
    const asked = new Set<string>();
    const questions = nodes
      .filter(({ engine, health }) => engine === 'ollama' && health.state === 'ready')
      .map((node) => {
        const open = (node.listed ?? []).flatMap(({ name, digest, contextTokens }) => {
          if (digest === undefined || contextTokens !== null || asked.has(digest)) return [];
          asked.add(digest);
          return [{ name, digest }];
        });
        const target = targetOf(node, this.#connectMs());
        const called = { target, basePath: node.address.basePath, headers: headersOf(node) };
        return this.#contexts.learn(nodeCall(this.#client, this.#clock, called, signal), open);
      });
    await Promise.all(questions);
  }

  #facts(offer: ListedModel | null, probed: ProbedModel | null, present: boolean | null): ModelFacts {
    return {
      model: offer?.model ?? null,
      upstream: offer?.upstream ?? probed?.name ?? '',
      present,
      loaded: probed?.isLoaded ?? null,
      ready: offer?.ready ?? probed?.ready ?? true,
      slots: offer?.slots ?? probed?.slots ?? null,
      sizeBytes: probed?.sizeBytes ?? offer?.sizeBytes ?? null,
      quantization: probed?.quantization ?? null,
      contextTokens: probed?.contextTokens ?? this.#contexts.of(probed?.digest) ?? offer?.contextTokens ?? null,
    };
  }
}
