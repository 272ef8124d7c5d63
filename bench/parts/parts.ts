import { type Candidate, type Running, spacious } from '../candidates/candidate.ts';
import { refused, served } from '../far-side/checks.ts';
import { closedLoop, sleep } from '../far-side/closed-loop.ts';
import { Holders } from '../far-side/holders.ts';
import { openLoop } from '../far-side/open-loop.ts';
import { streamLoad } from '../far-side/stream-load.ts';
import type { Stub } from '../far-side/stub.ts';
import type { Part } from './part.ts';

// The workloads. Lengths are for the full run; `--quick` halves them.

/** Weir with a second relay thread, which takes part only where the two are compared. */
export const TWO_THREADS = 'weir-2threads';

const everyone = ({ name }: Candidate): boolean => name !== TWO_THREADS;
const named =
  (...names: readonly string[]) =>
  ({ name, kind }: Candidate): boolean =>
    (kind === 'weir' && name !== TWO_THREADS) || names.includes(name);
const yardsticks = named('direct', 'nginx', 'haproxy');
const slowRouters = ['portkey', 'litellm'];
const quick = ({ name }: Candidate): boolean => name !== TWO_THREADS && !slowRouters.includes(name);

function json(name: string, title: string, clients: number, bodyBytes: number, takes: Part['takes']): Part {
  return {
    name,
    title,
    unit: 'request',
    scene: spacious,
    takes,
    countsSettling: true,
    load: ({ target }, stub, { scale }) => {
      stub.serving = { kind: 'answer', afterMs: 0 };
      // As long as measured: a compiler that works while it runs takes some ten thousand requests to get to the end.
      return closedLoop(target, { clients, bodyBytes, warmMs: 2000 * scale, measureMs: 2000 * scale });
    },
  };
}

function streams(name: string, title: string, count: number, gapMs: number, takes: Part['takes']): Part {
  return {
    name,
    title,
    unit: 'event',
    scene: spacious,
    takes,
    countsSettling: false,
    load: ({ target }, stub, { scale }) =>
      streamLoad(target, stub, {
        streams: count,
        gapMs,
        rampMs: Math.max(gapMs, count),
        warmMs: 500 * scale,
        measureMs: 3000 * scale,
      }),
  };
}

const SLOTS = 16;
const NODES = 4;
const ROOM = 1024;
/** From here on newcomers are refused: 80 % of the room. */
const FULL = Math.ceil(ROOM * 0.8);

/** Fills every slot and the room, by requests that the node never answers. */
async function fill({ target, waiters }: Running, stub: Stub): Promise<() => void> {
  if (!waiters) return () => undefined;
  stub.serving = { kind: 'hold' };
  const holders = new Holders(target, SLOTS * NODES + FULL);
  for (let n = 0; n < 200 && (await waiters()) < FULL; n++) await sleep(25);
  const got = await waiters();
  if (got < FULL || holders.lost > 0) throw new Error(`the waiting room holds ${got} of ${FULL}, ${holders.lost} lost`);
  return () => holders.release();
}

const SERVICE_MS = 200;

/** A fleet of 4 × 64 slots with 200 ms of service, under more clients than it has slots. */
function crowd(clients: number): Part {
  return {
    name: `clients${clients}`,
    group: 'clients',
    mostRounds: clients === 500 ? 5 : 3,
    title: `${clients} clients in a closed loop, ${NODES} nodes × 64 slots with 200 ms of service`,
    unit: 'request',
    scene: { slotsPerNode: 64, maxWaiters: 4096, refuses: false },
    takes: named('direct', 'nginx'),
    countsSettling: true,
    load: ({ target }, stub, { scale }) => {
      stub.serving = { kind: 'answer', afterMs: SERVICE_MS };
      return closedLoop(target, {
        clients,
        bodyBytes: 1024,
        rampMs: SERVICE_MS,
        warmMs: 1000 * scale,
        measureMs: 3000 * scale,
      });
    },
  };
}

export const parts: readonly Part[] = [
  json('json', 'JSON, 1 KB in and out, 64 connections', 64, 1024, everyone),
  json('json500', 'JSON, 1 KB in and out, 500 connections', 500, 1024, yardsticks),
  json(
    'prompt',
    'JSON, prompts of 20 KB, 64 connections',
    64,
    20_480,
    named('direct', 'nginx', 'haproxy', 'vllm-router'),
  ),
  streams('sse', 'SSE, 100 streams × 100 events/s', 100, 10, quick),
  {
    ...streams(
      'sse10',
      'SSE, 10 streams × 50 events/s, which slow routers manage too',
      10,
      20,
      named('nginx', ...slowRouters),
    ),
    mostRounds: 3,
  },
  streams('sse1000', 'SSE, 1000 streams × 20 events/s', 1000, 50, yardsticks),
  {
    ...streams('slow', 'SSE, 5000 streams × 2 events/s', 5000, 500, named('direct', 'nginx', 'haproxy')),
    mostRounds: 3,
  },
  ...[1, 10, 100, 500, 1000, 2000].map(crowd),
  {
    name: 'open',
    title: 'Open loop, 1000 requests/s of 1 KB',
    unit: 'request',
    scene: spacious,
    takes: named('direct', 'nginx'),
    countsSettling: true,
    load: ({ target }, stub, { scale }) => {
      stub.serving = { kind: 'answer', afterMs: 0 };
      const times = { warmMs: 1000 * scale, measureMs: 12_000 * scale };
      return openLoop(target, { perSecond: 1000, bodyBytes: 1024, check: served, ...times });
    },
  },
  {
    name: 'refuse',
    title: 'Refusing, 5000 requests/s of 1 KB into a full waiting room',
    unit: 'refusal',
    scene: { slotsPerNode: SLOTS, maxWaiters: ROOM, refuses: true },
    takes: named('nginx', 'haproxy'),
    countsSettling: true,
    before: fill,
    load: ({ target }, stub, { scale }) => {
      stub.serving = { kind: 'hold' };
      const times = { warmMs: 300 * scale, measureMs: 3000 * scale };
      return openLoop(target, { perSecond: 5000, bodyBytes: 1024, check: refused, ...times });
    },
  },
  {
    name: 'threads',
    title: 'Two relay threads against one, both on one core, 1000 requests/s of 1 KB',
    unit: 'request',
    scene: spacious,
    takes: ({ name }) => name === 'weir' || name === TWO_THREADS,
    countsSettling: true,
    load: ({ target }, stub, { scale }) => {
      stub.serving = { kind: 'answer', afterMs: 0 };
      const times = { warmMs: 1000 * scale, measureMs: 4000 * scale };
      return openLoop(target, { perSecond: 1000, bodyBytes: 1024, check: served, ...times });
    },
  },
  {
    ...json(
      'idle',
      'Memory: 20 s at rest after its start, then under 1 KB requests of 8 connections',
      8,
      1024,
      everyone,
    ),
    restMs: 20_000,
    mostRounds: 1,
  },
];
