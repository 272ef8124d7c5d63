// What pooling is worth: the same router with its pool and with one connection per request (`--pool-max-idle-per-node 0`), 100 clients
// at once against nodes with 2 ms of service. Alternating rounds, own share of the latency and CPU per request.
import { systemClock } from '../src/lib/clock.ts';
import { ask, clientConnections, ownShareMs } from './support/clients.ts';
import { type MeasuredRouter, startMeasuredRouter, startStubNode } from './support/processes.ts';
import { judge, median, quantile, say, writeResult } from './support/report.ts';

const CLIENTS = 100;
const ROUND_MS = 3000;
const ROUNDS = 7;
const SERVICE_MS = 2;

interface Round {
  readonly ownP50: number;
  readonly ownP95: number;
  readonly cpuUsPerRequest: number;
  readonly served: number;
}

async function round(router: MeasuredRouter): Promise<Round> {
  const agent = clientConnections(CLIENTS);
  const own: number[] = [];
  const cpuBefore = router.cpuMs();
  const until = systemClock.now() + ROUND_MS;
  const client = async (): Promise<void> => {
    while (systemClock.now() < until) {
      const answer = await ask(agent, router.url);
      if (answer.status !== 200) throw new Error(`answered ${answer.status} ${answer.code}`);
      own.push(ownShareMs(answer));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const cpuMs = router.cpuMs() - cpuBefore;
  await agent.close();
  return {
    ownP50: median(own),
    ownP95: quantile(own, 0.95),
    cpuUsPerRequest: (cpuMs * 1000) / own.length,
    served: own.length,
  };
}

const nodes = await Promise.all([startStubNode(SERVICE_MS), startStubNode(SERVICE_MS)]);
const urls = nodes.map(({ url }) => ({ url, maxConcurrent: CLIENTS }));
const flags = ['--queue-max-waiters', '4096'];
const pooled = await startMeasuredRouter(flags, urls);
const single = await startMeasuredRouter([...flags, '--pool-max-idle-per-node', '0'], urls);
const rounds: { pooled: Round; single: Round }[] = [];
try {
  await round(pooled);
  await round(single);
  for (let n = 0; n < ROUNDS; n++) {
    const pair = { pooled: await round(pooled), single: await round(single) };
    rounds.push(pair);
    const { pooled: a, single: b } = pair;
    say(
      `round ${n + 1}: own p50 ${a.ownP50.toFixed(2)} / ${b.ownP50.toFixed(2)} ms, CPU ${a.cpuUsPerRequest.toFixed(0)} / ${b.cpuUsPerRequest.toFixed(0)} µs a request, served ${a.served} / ${b.served}`,
    );
  }
} finally {
  for (const each of [pooled, single, ...nodes]) await each[Symbol.asyncDispose]();
}
const ratio = (of: (one: Round) => number): number => median(rounds.map((pair) => of(pair.pooled) / of(pair.single)));
const ratios = {
  ownP50: ratio((one) => one.ownP50),
  ownP95: ratio((one) => one.ownP95),
  cpu: ratio((one) => one.cpuUsPerRequest),
};
writeResult('pooling', 'npm run check:pooling', { clients: CLIENTS, serviceMs: SERVICE_MS, ratios, rounds });
const atMost = (value: number): { holds: boolean; seen: string } => ({
  holds: value <= 0.8,
  seen: `${value.toFixed(2)} of the time without pooling (median of ${ROUNDS} paired rounds)`,
});
const holds = judge([
  { goal: 'own share p50 at least 20 % better', ...atMost(ratios.ownP50) },
  { goal: 'own share p95 at least 20 % better', ...atMost(ratios.ownP95) },
  { goal: 'CPU per request at least 20 % better', ...atMost(ratios.cpu) },
]);
process.exitCode = holds ? 0 : 1;
