import type { FleetModel } from '../fleet-model.ts';
import { requestsPerSecond } from '../engine/capacity.ts';
import { normal, seeded, stream } from '../random.ts';
import type { Offer, SimRequest, Workload } from './offer.ts';

// Puts a workload in time: as many requests per second as `load` times the fleet's capacity for requests of these lengths.
// The pattern of the gaps stays. Bursts of the fleet's scenario compress stretches of the schedule; the mean load stays as
// asked.

export interface Schedule {
  readonly requests: readonly SimRequest[];
  readonly durationMs: number;
  readonly capacityPerSecond: number;
  readonly offeredPerSecond: number;
}

/** Bytes of a token in a request's body: four letters, more or less by language and code. */
const BYTES_PER_TOKEN = 4;

/** The fleet's capacity for a workload in requests per second, prompts uncached and every engine full. */
export function capacityOf(fleet: FleetModel, offers: readonly Offer[]): number {
  return fleet.nodes.reduce((sum, { engine }) => sum + requestsPerSecond(engine, offers), 0);
}

export function scheduleOf(
  fleet: FleetModel,
  workload: Workload,
  load: number,
  seed: number,
  deadlineMs: number,
): Schedule {
  const { offers, blockTokens } = workload;
  const usual = offers.filter(({ isExtra }) => !isExtra);
  const capacityPerSecond = capacityOf(fleet, usual);
  const usualPerSecond = load * capacityPerSecond;
  const durationMs = (1000 * usual.length) / usualPerSecond;
  const offeredPerSecond = (1000 * offers.length) / durationMs;
  const begin = usual[0]?.atMs ?? 0;
  const span = Math.max(1e-9, (usual.at(-1)?.atMs ?? 0) - begin);
  const warp = warpOf(fleet);
  const random = stream(seed, 'bytes');
  // The usual requests first, so that they are the same whatever comes on top.
  const bytesOf = new Map<Offer, number>();
  for (const offer of [...usual, ...offers.filter(({ isExtra }) => isExtra)]) {
    const perToken = BYTES_PER_TOKEN * Math.exp(0.15 * normal(random));
    bytesOf.set(offer, Math.ceil(offer.promptTokens * perToken));
  }
  const models = modelPicker(fleet);
  const requests = offers.map((offer, id): SimRequest => {
    const model = models(offer.session, seed);
    const { caller, promptTokens, outputTokens, maxTokens } = offer;
    // Equal text under another model is another prefix.
    const scoped = (block: number): number => block * fleet.models.length + fleet.models.indexOf(model);
    return {
      seen: {
        id,
        model,
        caller,
        arrivedAt: warp((offer.atMs - begin) / span) * durationMs,
        promptTokens,
        bytes: bytesOf.get(offer) ?? 0,
        maxTokens,
        blocks: offer.blocks.map(scoped),
        blockTokens,
        deadlineMs,
      },
      outputTokens,
      answerBlocks: offer.answerBlocks.map(scoped),
    };
  });
  return { requests, durationMs, capacityPerSecond, offeredPerSecond };
}

/** Maps the share of requests that have come to the share of time that has passed, slower where a burst is. */
function warpOf({ bursts }: FleetModel): (share: number) => number {
  const edges = [...new Set([0, 1, ...bursts.flatMap(({ at, lasts }) => [at, Math.min(1, at + lasts)])])].toSorted(
    (a, b) => a - b,
  );
  const spans = edges.slice(1).map((to, at) => {
    const from = edges[at] ?? 0;
    const times = bursts
      .filter((burst) => burst.at <= from && to <= burst.at + burst.lasts)
      .reduce((product, burst) => product * burst.times, 1);
    return { from, length: to - from, amount: (to - from) * times };
  });
  const total = spans.reduce((sum, { amount }) => sum + amount, 0);
  return (share) => {
    let before = 0;
    for (const { from, length, amount } of spans) {
      const part = share * total - before;
      if (part <= amount) return from + (length * Math.max(0, part)) / amount;
      before += amount;
    }
    return 1;
  };
}

/** A chat stays with its model. */
function modelPicker({ mix }: FleetModel): (session: number, seed: number) => string {
  const total = mix.reduce((sum, { share }) => sum + share, 0);
  const [first] = mix;
  return (session, seed) => {
    let mark = seeded(session * 7919 + seed)() * total;
    for (const { model, share } of mix) {
      mark -= share;
      if (mark < 0) return model;
    }
    return first?.model ?? '';
  };
}
