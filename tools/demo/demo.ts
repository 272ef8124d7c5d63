import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/lib/clock.ts';
import { Crowd } from './crowd.ts';
import { notIdle } from './figures.ts';
import { bringFleet } from './fleet.ts';
import { type DemoRouter, MAX_WAITERS, startRouter } from './router.ts';
import { Screen, type View } from './screen.ts';
import { summary } from './summary.ts';

// `npm run demo`: the router over a small fleet it brings itself, and a crowd that grows beyond what the fleet can serve and goes home
// again. Exit code 0 only if every request got an answer, the books add up and every gauge of the router is back at 0.

const usage = `The demonstration of Weir: a growing crowd of clients in front of a small fleet.

  npm run demo -- [--seconds N] [--clients N] [--simulated]

  --seconds N    how long the crowd asks (default 60, at least 2)
  --clients N    how large it grows (default 60)
  --simulated    with simulated engines even where real ones can be had
`;
/** The crowd grows for this share of the time and shrinks for the rest. */
const GROWING_SHARE = 0.8;
/** Far beyond the waiting room's own time-out and the longest answer. */
const LAST_ANSWER_WITHIN_MS = 30_000;
const IDLE_WITHIN_MS = 10_000;
const clock = systemClock;

interface Wanted {
  readonly seconds: number;
  readonly clients: number;
  readonly simulated: boolean;
}

function wanted(args: readonly string[]): Wanted | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '60' },
      clients: { type: 'string', default: '60' },
      simulated: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  return {
    seconds: wholeNumber('seconds', values.seconds, 2),
    clients: wholeNumber('clients', values.clients, 1),
    simulated: values.simulated,
  };
}

function wholeNumber(name: string, written: string, least: number): number {
  const value = Number(written);
  if (Number.isInteger(value) && value >= least) return value;
  throw new Error(`--${name} ${written}: write a whole number of at least ${least}`);
}

/** Runs it all; resolves with the exit code. What it starts is stopped whatever happens. */
async function demonstrate({ seconds, clients, simulated }: Wanted, interrupted: AbortSignal): Promise<number> {
  const screen = new Screen(process.stdout);
  await using running = new AsyncDisposableStack();
  const fleet = await bringFleet(simulated, (line) => screen.say(line));
  running.defer(() => fleet.close());
  interrupted.throwIfAborted();
  const router = await startRouter(fleet.nodes);
  running.defer(() => router.stop());
  interrupted.throwIfAborted();
  const crowd = new Crowd({ url: router.url, model: fleet.model, clock, random: Math.random });
  running.defer(() => crowd.abandon());

  screen.say(`Nodes: ${fleet.what}.`);
  const totalMs = seconds * 1000;
  const startedAt = clock.now();
  let refusedBefore = 0;
  const view = async (phase: string): Promise<View> => {
    const { refused } = crowd.tally.counts;
    const isRefusing = refused > refusedBefore;
    refusedBefore = refused;
    return {
      fleet: fleet.what,
      elapsedMs: clock.now() - startedAt,
      totalMs,
      phase,
      clients: crowd.size,
      mostClients: clients,
      maxWaiters: MAX_WAITERS,
      tally: crowd.tally,
      figures: await router.figures().catch(() => null),
      isRefusing,
    };
  };
  for (let elapsedMs = 0; elapsedMs < totalMs; elapsedMs = clock.now() - startedAt) {
    const share = elapsedMs / totalMs;
    const isGrowing = share < GROWING_SHARE;
    const level = isGrowing ? share / GROWING_SHARE : (1 - share) / (1 - GROWING_SHARE);
    crowd.resize(Math.max(1, Math.round(clients * level)));
    screen.show(await view(isGrowing ? 'the crowd grows' : 'the crowd goes home'));
    await delay(Math.min(screen.everyMs, totalMs - elapsedMs), null, { signal: interrupted });
  }
  const patience = new AbortController();
  const isLate = delay(LAST_ANSWER_WITHIN_MS, true, { signal: patience.signal }).catch(() => false);
  const unanswered = (await Promise.race([crowd.disperse().then(() => false), isLate])) ? crowd.tally.open : 0;
  patience.abort();
  crowd.abandon();
  const left = await untilIdle(router);
  screen.show(await view('everybody is gone'));
  const { text, isGood } = summary(crowd.tally, unanswered, left);
  screen.say(text);
  if (!isGood) screen.say(`What the router printed:\n${router.output().trim() || '(nothing)'}`);
  return isGood ? 0 : 1;
}

/** The gauges that do not return to 0 in time. Null: the router cannot be asked. */
async function untilIdle(router: DemoRouter): Promise<string[] | null> {
  const deadline = clock.now() + IDLE_WITHIN_MS;
  for (;;) {
    const left = await router.figures().then(notIdle, () => null);
    if (left?.length === 0 || clock.now() > deadline) return left;
    await delay(50);
  }
}

async function run(): Promise<number> {
  const asked = wanted(process.argv.slice(2));
  if (!asked) {
    process.stdout.write(usage);
    return 0;
  }
  const interruption = new AbortController();
  // npm forwards the terminal's Ctrl-C, so it may come twice: only one that comes later means "now".
  let interruptedAt = Infinity;
  const interrupt = (): void => {
    if (clock.now() - interruptedAt > 500) process.exit(130);
    if (interruption.signal.aborted) return;
    interruptedAt = clock.now();
    process.stdout.write('\nInterrupted: stopping the router and the engines.\n');
    interruption.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await demonstrate(asked, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) return 130;
    throw error;
  }
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
