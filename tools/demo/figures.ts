import { z } from 'zod';

// What the router says of itself at the admin API's `stats`, as far as the demonstration shows it.

const statsSchema = z.object({
  gauges: z.object({
    openLeases: z.number(),
    waiters: z.number(),
    waitingBytes: z.number(),
    openRequests: z.number(),
  }),
  totals: z.object({ requests: z.number() }),
  nodes: z.array(z.object({ name: z.string(), slots: z.number(), taken: z.number().nullable(), state: z.string() })),
});

export interface NodeFigures {
  readonly name: string;
  readonly slots: number;
  readonly taken: number;
  readonly state: string;
}

export interface RouterFigures {
  readonly waiters: number;
  readonly nodes: readonly NodeFigures[];
  /** Requests that are over, by the router's own count. */
  readonly settled: number;
  /** Every gauge that must read 0 when nobody asks for anything. */
  readonly idleGauges: Readonly<Record<string, number>>;
}

/** Asks the router; rejects if it does not answer as it should. */
export async function readFigures(adminUrl: string, token: string): Promise<RouterFigures> {
  const answer = await fetch(`${adminUrl}/api/stats`, { headers: { authorization: `Bearer ${token}` } });
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Error(`the router's admin API answered ${answer.status} to /api/stats`);
  const { gauges, totals, nodes } = statsSchema.parse(body);
  const shown = nodes.map(({ name, slots, taken, state }) => ({ name, slots, taken: taken ?? 0, state }));
  return {
    waiters: gauges.waiters,
    nodes: shown,
    settled: totals.requests,
    idleGauges: {
      'open leases': gauges.openLeases,
      waiters: gauges.waiters,
      'waiting bytes': gauges.waitingBytes,
      'open requests': gauges.openRequests,
      'slots taken': shown.reduce((sum, { taken }) => sum + taken, 0),
    },
  };
}

/** Names the gauges that are not 0, with their values. */
export function notIdle({ idleGauges }: RouterFigures): string[] {
  return Object.entries(idleGauges)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} ${value}`);
}
