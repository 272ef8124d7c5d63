import { cheapest, type Rival } from './rival.ts';
import { twoOf } from './plain.ts';

// Finagle's peak EWMA over two choices: the cost of a node is a moving average of whole exchanges that jumps to every peak
// and decays with a mean lifetime of 10 s, times its open requests and one. A node never heard of with something open is
// penalised. Long answers look like slow nodes to it, as they do in the source.

const TAU_MS = 10_000;
/** The source's Long.MaxValue >> 16 ns, in ms. */
const PENALTY = 2 ** 47 / 1e6;

interface Metric {
  cost: number;
  stamp: number;
}

export function peakEwma(random: () => number): Rival {
  const metrics = new Map<number, Metric>();
  const observe = (node: number, rttMs: number, now: number): Metric => {
    const metric = metrics.get(node) ?? { cost: 0, stamp: now };
    const weight = Math.exp(-Math.max(0, now - metric.stamp) / TAU_MS);
    metric.cost = rttMs > metric.cost ? rttMs : metric.cost * weight + rttMs * (1 - weight);
    metric.stamp = now;
    metrics.set(node, metric);
    return metric;
  };
  return {
    choose(_request, nodes, now) {
      return cheapest(
        twoOf(nodes, random),
        ({ index, inFlight }) => {
          const { cost } = observe(index, 0, now);
          return cost === 0 && inFlight > 0 ? PENALTY + inFlight : cost * (inFlight + 1);
        },
        random,
      );
    },
    ended(sent, _how, now) {
      observe(sent.node, now - sent.sentAt, now);
    },
  };
}
