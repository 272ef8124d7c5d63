import { Samples } from '../support/spread.ts';
import { Asker } from './asker.ts';
import { served } from './checks.ts';
import { Connections } from './client-connection.ts';
import { addressOf, CHAT, type Seen, type Target, Wrongs } from './target.ts';
import { requestText } from './texts.ts';

export interface ClosedLoop {
  readonly clients: number;
  readonly bodyBytes: number;
  /** Time over which the clients begin, evenly: what begins at once goes on in bursts. */
  readonly rampMs?: number;
  readonly warmMs: number;
  readonly measureMs: number;
}

const PATIENCE_MS = 30_000;

/** So many clients, each asking anew as soon as it is answered. Ends when every answer has come. */
export async function closedLoop(target: Target, load: ClosedLoop): Promise<Seen> {
  const text = requestText(
    new URL(target.url).host,
    target.headers,
    target.model,
    target.basePath + CHAT,
    false,
    load.bodyBytes,
  );
  const shared = new Connections();
  const [total, own] = [new Samples(), new Samples()];
  const wrongs = new Wrongs();
  const allAnswered = Promise.withResolvers<void>();
  let phase: 'warm' | 'measured' | 'over' = 'warm';
  let sent = 0;
  let good = 0;
  let waiting = 0;
  const ask = (asker: Asker): void => {
    sent += 1;
    asker.ask(sent);
  };
  const askers = Array.from(
    { length: load.clients },
    () =>
      new Asker(addressOf(target), shared, text, served, (asked, asker) => {
        if ('wrong' in asked) wrongs.add(asked.wrong);
        else if (phase !== 'warm') {
          good += 1;
          total.add(asked.totalMs);
          own.add(asked.ownMs);
        }
        // A router that fails at once must not be asked in a tight loop.
        if (phase !== 'over' && 'wrong' in asked) setTimeout(() => (phase === 'over' ? done() : ask(asker)), 100);
        else if (phase !== 'over') ask(asker);
        else done();
      }),
  );
  const done = (): void => {
    waiting -= 1;
    if (waiting === 0) allAnswered.resolve();
  };
  const gapMs = (load.rampMs ?? 0) / load.clients;
  const rampFrom = performance.now();
  for (const [place, asker] of askers.entries()) {
    while (performance.now() - rampFrom < place * gapMs) await sleep(1);
    waiting += 1;
    ask(asker);
  }
  await sleep(load.warmMs);
  const cpuStartMs = target.cpuMs();
  const startedAt = performance.now();
  phase = 'measured';
  await sleep(load.measureMs);
  phase = 'over';
  const memory = target.memory();
  const impatience = setTimeout(() => {
    wrongs.add(`${waiting} without an answer after ${PATIENCE_MS / 1000} s`);
    allAnswered.resolve();
  }, PATIENCE_MS);
  await allAnswered.promise;
  clearTimeout(impatience);
  const windowSeconds = (performance.now() - startedAt) / 1000;
  const cpuEndMs = target.cpuMs();
  for (const asker of askers) asker.destroy();
  return {
    sent,
    good,
    windowSeconds,
    cpuStartMs,
    cpuEndMs,
    wrong: wrongs.all(),
    totalMs: total.quantiles(),
    ownMs: own.quantiles(),
    connectionsOpened: shared.opened,
    memory,
    lateMs: 0,
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
