import { cheapest, type Rival } from './rival.ts';

// Best tokens per second first, as llmlb ranks its endpoints: a moving average (weight of the newest 0.2) of each node's
// generated tokens over the whole duration of a request; the highest is taken, unknown ones count as 0, equals go in turn.
// It does not look at load at all.

const NEWEST = 0.2;

export function bestTps(random: () => number): Rival {
  const averages = new Map<number, number>();
  return {
    choose: (_request, nodes) => cheapest(nodes, ({ index }) => -(averages.get(index) ?? 0), random),
    ended(sent, how, now) {
      if (how !== 'served' || now <= sent.sentAt) return;
      const rate = (1000 * sent.tokens) / (now - sent.sentAt);
      const before = averages.get(sent.node);
      averages.set(sent.node, before === undefined ? rate : before + NEWEST * (rate - before));
    },
  };
}
