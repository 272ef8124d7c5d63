import type { Reading, SeenNode } from '../seen.ts';
import { cheapest, type Rival } from './rival.ts';

// SMG's least_load: (queued + dispatched-since-the-poll tokens) / throughput + 0.15 s · k/(1−k) for a cache use of k. Where
// an engine does not tell its queued tokens they are 0; where it tells no throughput it is 2000 tokens/s. A node without a
// fresh reading (three polls) among others with one counts its open requests as 1024 tokens each at the mean throughput;
// with no readings at all it joins the shortest queue. A request's own tokens are known, as on its gRPC path, which it is
// meant for; over HTTP it would take each as 1024.

const KV_WEIGHT_S = 0.15;
const MEAN_TOKENS = 1024;
const DEFAULT_RATE = 2000;
const STALE_MS = 30_000;

export function smgLeastLoad(random: () => number): Rival {
  const sincePoll = new Map<number, number>();
  const readings = new Map<number, Reading>();
  return {
    choose(_request, nodes, now) {
      const fresh = (node: SeenNode): Reading | null => {
        const reading = readings.get(node.index);
        return reading && now - reading.readAt <= STALE_MS ? reading : null;
      };
      const rates = nodes.map((node) => fresh(node)?.tokensPerSecond ?? 0).filter((rate) => rate > 0);
      const nominal = rates.length > 0 ? rates.reduce((sum, rate) => sum + rate, 0) / rates.length : DEFAULT_RATE;
      const isDark = nodes.every((node) => fresh(node) === null);
      return cheapest(
        nodes,
        (node) => {
          const reading = fresh(node);
          if (!reading) return isDark ? node.inFlight : (node.inFlight * MEAN_TOKENS) / nominal;
          const rate = (reading.tokensPerSecond ?? 0) > 0 ? (reading.tokensPerSecond ?? DEFAULT_RATE) : DEFAULT_RATE;
          const k = Math.min(0.999, reading.cacheUse ?? 0);
          return ((reading.waitingTokens ?? 0) + (sincePoll.get(node.index) ?? 0)) / rate + (KV_WEIGHT_S * k) / (1 - k);
        },
        random,
      );
    },
    sent({ node, request }) {
      sincePoll.set(node, (sincePoll.get(node) ?? 0) + request.promptTokens);
    },
    polled(node, reading) {
      readings.set(node, reading);
      sincePoll.set(node, 0);
    },
  };
}
