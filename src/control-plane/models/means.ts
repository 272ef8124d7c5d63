import type { EngineKind } from '../../fleet/glossary.ts';
import { ExchangeError } from '../../http-client/exchange.ts';
import type { TaskKind } from '../task.ts';
import { loadLlamacpp, unloadLlamacpp } from './llamacpp-models.ts';
import { loadLmstudio, pullLmstudio, unloadLmstudio } from './lmstudio-models.ts';
import type { NodeCall } from './node-call.ts';
import { loadOllama, pullOllama, unloadOllama } from './ollama-models.ts';
import type { AttemptEnd, Progress } from './attempt-end.ts';

// What each engine can be told about its models over HTTP, and what to say where it cannot. Who asks for what an engine has no
// means for is told so at once, rather than given a task that must fail.

export interface Wanted {
  /** The engine's own name. */
  readonly model: string;
  /** `pinned`, a duration as the engine writes it, or null for what it usually does. */
  readonly keepAlive: string | null;
}

/** One attempt. Rejects with `ExchangeError` where the node does not answer. */
export type Means = (call: NodeCall, wanted: Wanted, report: (progress: Progress) => void) => Promise<AttemptEnd>;

interface EngineMeans {
  readonly means: Readonly<Partial<Record<TaskKind, Means>>>;
  /** What to do instead. */
  readonly otherwise: string;
}

const none: EngineMeans = {
  means: {},
  otherwise: 'It has no way to be told over HTTP. Do it where that server is run.',
};

const byEngine: Readonly<Partial<Record<EngineKind, EngineMeans>>> = {
  ollama: { means: { pull: pullOllama, load: loadOllama, unload: unloadOllama }, otherwise: none.otherwise },
  lmstudio: { means: { pull: pullLmstudio, load: loadLmstudio, unload: unloadLmstudio }, otherwise: none.otherwise },
  llamacpp: {
    means: { load: loadLlamacpp, unload: unloadLlamacpp },
    otherwise: 'It fetches models as it starts: start it with -hf REPOSITORY.',
  },
  vllm: { means: {}, otherwise: 'It has the one model it was started with: start it with another.' },
  sglang: { means: {}, otherwise: 'It has the one model it was started with: start it with another.' },
};

/** How that is done with that engine, or a sentence on what to do instead. */
export function meansOf(engine: EngineKind, kind: TaskKind): Means | string {
  const { means, otherwise } = byEngine[engine] ?? none;
  return means[kind] ?? otherwise;
}

/** One attempt that never rejects for anything a node does. */
export async function attemptBy(
  means: Means,
  call: NodeCall,
  wanted: Wanted,
  report: (progress: Progress) => void,
): Promise<AttemptEnd> {
  try {
    return await means(call, wanted, report);
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    return { kind: 'again', detail: `The node broke off: ${error.message}.` };
  }
}
