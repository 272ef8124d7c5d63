import { Samples } from '../support/spread.ts';
import { Asker } from './asker.ts';
import type { Check } from './checks.ts';
import { Connections } from './client-connection.ts';
import { Pacer } from './pacer.ts';
import { addressOf, CHAT, type Seen, type Target, Wrongs } from './target.ts';
import { requestText } from './texts.ts';

export interface OpenLoop {
  readonly perSecond: number;
  readonly bodyBytes: number;
  readonly warmMs: number;
  readonly measureMs: number;
  readonly check: Check;
}

const PATIENCE_MS = 30_000;

/**
 * Requests at a fixed rate whatever becomes of those before: an idle keep-alive connection takes each, or a new one. The latency counts from
 * the scheduled send; how late the schedule itself ran is reported beside it.
 */
export async function openLoop(target: Target, load: OpenLoop): Promise<Seen> {
  const path = target.basePath + CHAT;
  const text = requestText(new URL(target.url).host, target.headers, target.model, path, false, load.bodyBytes);
  const shared = new Connections();
  const [total, own, late] = [new Samples(), new Samples(), new Samples()];
  const wrongs = new Wrongs();
  const idle: Asker[] = [];
  const askers: Asker[] = [];
  const gapMs = 1000 / load.perSecond;
  const warm = Math.round(load.warmMs / gapMs);
  const all = warm + Math.round(load.measureMs / gapMs);
  const over = Promise.withResolvers<void>();
  let sent = 0;
  let answered = 0;
  let good = 0;
  const dues = new Map<Asker, number>();
  const newAsker = (): Asker => {
    const asker = new Asker(addressOf(target), shared, text, load.check, (asked, self) => {
      idle.push(self);
      answered += 1;
      const lateMs = dues.get(self) ?? Number.NaN;
      if ('wrong' in asked) wrongs.add(asked.wrong);
      else if (!Number.isNaN(lateMs)) {
        good += 1;
        total.add(asked.totalMs + lateMs);
        own.add(asked.ownMs);
      }
      if (answered === all) over.resolve();
    });
    askers.push(asker);
    return asker;
  };
  const startedAt = performance.now();
  let measuredFrom = Number.NaN;
  let cpuStartMs = Number.NaN;
  const sendDue = (): boolean => {
    const lateMs = performance.now() - startedAt - sent * gapMs;
    if (lateMs < 0) return false;
    if (sent === warm) {
      measuredFrom = performance.now();
      cpuStartMs = target.cpuMs();
    }
    if (sent >= warm) late.add(lateMs);
    const asker = idle.pop() ?? newAsker();
    dues.set(asker, sent >= warm ? lateMs : Number.NaN);
    sent += 1;
    asker.ask(sent);
    return true;
  };
  const allSent = Promise.withResolvers<void>();
  new Pacer(sendDue, () => {
    if (sent < all) return false;
    allSent.resolve();
    return true;
  }).wake();
  await allSent.promise;
  const memory = target.memory();
  const impatience = setTimeout(() => {
    wrongs.add(`${all - answered} without an answer after ${PATIENCE_MS / 1000} s`);
    over.resolve();
  }, PATIENCE_MS);
  await over.promise;
  clearTimeout(impatience);
  const cpuEndMs = target.cpuMs();
  const windowSeconds = (performance.now() - measuredFrom) / 1000;
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
    lateMs: late.quantiles().p99,
  };
}
