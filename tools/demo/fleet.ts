import { startSimulatedEngine } from '../../sim/engine/simulated-engine.ts';
import { ensureLlamaServer } from '../engine/llama-server.ts';
import { startEngine } from '../engine/start-engine.ts';

// The fleet the demonstration brings itself: real llama.cpp processes with a computed model where this machine can have them, else
// simulated engines, and it says which and why. The nodes are unequal on purpose, so that load by slots can be seen.

/** A real model this large gives a few hundred tokens a second on one core: slow enough to see the waiting. */
const LAYERS = 12;
const CONTEXT_TOKENS = 512;
const REAL_SLOTS = [4, 2] as const;
const SIMULATED = [
  { kind: 'vllm', slots: 4 },
  { kind: 'llamacpp', slots: 2 },
  { kind: 'ollama', slots: 2 },
] as const;

export interface DemoNode {
  readonly name: string;
  readonly url: string;
  readonly slots: number;
}

export interface DemoFleet {
  readonly nodes: readonly DemoNode[];
  readonly model: string;
  /** What these engines are, and why these. */
  readonly what: string;
  close(): Promise<void>;
}

/** Starts real engines if it can and `simulated` does not ask for the others. `say` is told what takes time. */
export async function bringFleet(simulated: boolean, say: (line: string) => void): Promise<DemoFleet> {
  if (simulated) return simulatedFleet('as asked for by --simulated');
  say('Getting a real engine (llama.cpp) for the demonstration …');
  const server = await ensureLlamaServer();
  if ('absent' in server) return simulatedFleet(`no real engine could be had: ${server.absent}`);
  try {
    return await realFleet(server.version);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return simulatedFleet(`the real engine did not start: ${reason}`);
  }
}

async function realFleet(version: string): Promise<DemoFleet> {
  const starts = await Promise.allSettled(
    REAL_SLOTS.map((slots) => startEngine({ layers: LAYERS, slots, ctx: CONTEXT_TOKENS })),
  );
  const engines = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(engines.map((engine) => engine.close()));
  };
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  const slotsOf = (index: number): number => REAL_SLOTS[index] ?? 1;
  return {
    nodes: engines.map(({ url }, index) => ({ name: `llamacpp-${index + 1}`, url, slots: slotsOf(index) })),
    model: engines[0]?.model ?? '',
    what: `${engines.length} real llama.cpp engines (${version}) with a tiny computed model`,
    close,
  };
}

async function simulatedFleet(why: string): Promise<DemoFleet> {
  const engines = await Promise.all(
    SIMULATED.map((options) =>
      startSimulatedEngine({ ...options, models: ['demo'], stepMs: 20, stepPerSequenceMs: 2 }),
    ),
  );
  return {
    nodes: SIMULATED.map(({ kind, slots }, index) => ({ name: kind, url: engines[index]?.url ?? '', slots })),
    model: 'demo',
    what: `${engines.length} simulated engines (${why})`,
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()));
    },
  };
}
