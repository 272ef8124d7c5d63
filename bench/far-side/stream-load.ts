import { Buffer } from 'node:buffer';
import { Samples } from '../support/spread.ts';
import { ClientConnection, Connections } from './client-connection.ts';
import { sleep } from './closed-loop.ts';
import { EventCheck } from './event-check.ts';
import type { Stub } from './stub.ts';
import { addressOf, CHAT, type Seen, type Target, Wrongs } from './target.ts';
import { microsNow, NUMBER_WIDTH, requestText, writeDigits } from './texts.ts';

export interface StreamLoad {
  readonly streams: number;
  readonly gapMs: number;
  /** Time over which the streams are opened, evenly. */
  readonly rampMs: number;
  readonly warmMs: number;
  readonly measureMs: number;
}

const PATIENCE_MS = 20_000;
const STEP_MS = 2;

/**
 * So many open streams at a fixed rate of events each. The window lies while all of them flow; then the node ends them, and every stream is
 * checked to its end: each event once, in order, and the end marker.
 */
export async function streamLoad(target: Target, stub: Stub, load: StreamLoad): Promise<Seen> {
  const path = target.basePath + CHAT;
  const text = requestText(new URL(target.url).host, target.headers, target.model, path, true, 1024);
  stub.serving = { kind: 'stream', gapMs: load.gapMs, streams: load.streams };
  const shared = new Connections();
  const latency = new Samples();
  const wrongs = new Wrongs();
  const allEnded = Promise.withResolvers<void>();
  let isMeasured = false;
  let good = 0;
  let open = 0;
  const onEvent = (sentMicros: number): void => {
    if (!isMeasured) return;
    good += 1;
    latency.add((microsNow() - sentMicros) / 1000);
  };
  const start = (number: number): ClientConnection => {
    const check = new EventCheck(onEvent);
    let status = 0;
    const end = (wrong: string | null): void => {
      if (wrong !== null) wrongs.add(wrong);
      open -= 1;
      if (open === 0) allEnded.resolve();
    };
    const connection = new ClientConnection(addressOf(target), shared, {
      onHead: (got) => {
        status = got;
      },
      onBody: (bytes, from, to) => check.push(bytes, from, to),
      onEnd: () => end(status === 200 ? check.verdict() : `status ${status}`),
      onBroken: (reason) => end(`broken: ${reason}`),
    });
    const bytes = Buffer.from(text.bytes);
    writeDigits(bytes, text.digitsAt, NUMBER_WIDTH, number);
    open += 1;
    connection.send(bytes);
    return connection;
  };
  const connections: ClientConnection[] = [];
  const rampFrom = performance.now();
  while (connections.length < load.streams) {
    const due = ((performance.now() - rampFrom) / load.rampMs) * load.streams;
    while (connections.length < Math.min(due, load.streams)) connections.push(start(connections.length));
    await sleep(STEP_MS);
  }
  await sleep(load.warmMs);
  stub.streams.worstLateMs = 0;
  const cpuStartMs = target.cpuMs();
  const startedAt = performance.now();
  isMeasured = true;
  await sleep(load.measureMs);
  isMeasured = false;
  const cpuEndMs = target.cpuMs();
  const memory = target.memory();
  const windowSeconds = (performance.now() - startedAt) / 1000;
  const lateMs = stub.streams.worstLateMs;
  stub.streams.endAll();
  const impatience = setTimeout(() => {
    wrongs.add(`${open} streams without an end after ${PATIENCE_MS / 1000} s`);
    allEnded.resolve();
  }, PATIENCE_MS);
  await allEnded.promise;
  clearTimeout(impatience);
  for (const connection of connections) connection.destroy();
  const quantiles = latency.quantiles();
  return {
    sent: load.streams,
    good,
    windowSeconds,
    cpuStartMs,
    cpuEndMs,
    wrong: wrongs.all(),
    totalMs: quantiles,
    ownMs: quantiles,
    connectionsOpened: shared.opened,
    memory,
    lateMs,
  };
}
