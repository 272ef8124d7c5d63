// The promises in real time that tests assert on an injected clock: a refusal comes within 1 s, a time-out within 0.2 s of the configured
// wait, with 100 clients at once on a node that is busy for all of it. Medians and worst cases over 5 rounds.
import { systemClock } from '../src/lib/clock.ts';
import { type Answered, ask, clientConnections } from './support/clients.ts';
import { startMeasuredRouter, startStubNode } from './support/processes.ts';
import { judge, median, quantile, say, writeResult } from './support/report.ts';

const CLIENTS = 100;
const ROUNDS = 5;
const WAIT_MS = 3000;
const SERVICE_MS = 5000;
const MAX_WAITERS = 40;

await using node = await startStubNode(SERVICE_MS);
await using router = await startMeasuredRouter(
  ['--queue-max-waiters', String(MAX_WAITERS), '--queue-timeout', `${WAIT_MS}ms`],
  [{ url: node.url, maxConcurrent: 4 }],
);
const agent = clientConnections(CLIENTS);
const refused: number[] = [];
const timedOutLate: number[] = [];
let served = 0;
let other = 0;
for (let n = 0; n < ROUNDS; n++) {
  const answers: Answered[] = await Promise.all(Array.from({ length: CLIENTS }, () => ask(agent, router.url)));
  for (const answer of answers) {
    if (answer.status === 200) served += 1;
    else if (answer.code === 'capacity_exceeded' && answer.retryAfter !== null) refused.push(answer.totalMs);
    else if (answer.code === 'wait_timeout' && answer.retryAfter !== null) timedOutLate.push(answer.totalMs - WAIT_MS);
    else other += 1;
  }
}
await agent.close();
say(
  `${CLIENTS * ROUNDS} sent: ${served} served, ${refused.length} refused, ${timedOutLate.length} timed out, ${other} other`,
);
const worst = (values: readonly number[]): number => quantile(values, 1);
const figures = {
  refusalMs: { median: median(refused), p99: quantile(refused, 0.99), worst: worst(refused) },
  timeoutLateMs: { median: median(timedOutLate), p99: quantile(timedOutLate, 0.99), worst: worst(timedOutLate) },
};
const seen = ({ median: m, worst: w }: { median: number; worst: number }): string =>
  `median ${m.toFixed(0)} ms, worst ${w.toFixed(0)} ms`;
writeResult('timing', 'npm run check:timing', { at: systemClock.wall(), clients: CLIENTS, rounds: ROUNDS, ...figures });
const holds = judge([
  {
    goal: 'a refusal within 1 s',
    holds: refused.length > 0 && figures.refusalMs.worst <= 1000,
    seen: seen(figures.refusalMs),
  },
  {
    goal: 'a time-out within 0.2 s of the configured wait',
    holds: timedOutLate.length > 0 && Math.abs(figures.timeoutLateMs.worst) <= 200,
    seen: seen(figures.timeoutLateMs),
  },
  { goal: 'every request is answered by one of the three', holds: other === 0, seen: `${other} others` },
]);
process.exitCode = holds ? 0 : 1;
