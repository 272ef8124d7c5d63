import type { EngineKind } from '../../fleet/glossary.ts';
import type { ProbeResult } from '../probe.ts';
import { type Ask, ProbeStop, refuse } from './ask.ts';
import type { Engine } from './engine.ts';
import { llamacpp } from './llamacpp.ts';
import { lmstudio } from './lmstudio.ts';
import { isOwnedBy, listEntries } from './model-list.ts';
import { ollama } from './ollama.ts';
import { isWithoutList, openai } from './openai.ts';
import { sglang } from './sglang.ts';
import { vllm } from './vllm.ts';

// One probe of one node. An engine that is not known yet is recognised first: `/v1/models`, which all of them have, often
// tells it alone by who owns the models; else each engine's own endpoint is asked, in the order of how common they are.
// What answers a model list and is none of them is `openai`.

const engines: Readonly<Record<EngineKind, Engine>> = { ollama, llamacpp, vllm, sglang, lmstudio, openai };
const asked: readonly Engine[] = [ollama, llamacpp, vllm, sglang, lmstudio];

/**
 * Probes once. Never rejects for anything a node does; `engine: null` recognises it first. `listIsOptional` where an operator named
 * the models: some servers have no `/v1/models`.
 */
export async function probeNode(ask: Ask, engine: EngineKind | null, listIsOptional: boolean): Promise<ProbeResult> {
  try {
    const kind = engine ?? (await recognise(ask, listIsOptional));
    return { kind: 'answered', engine: kind, ...(await engines[kind].probe(ask, listIsOptional)) };
  } catch (error) {
    if (error instanceof ProbeStop) return error.failure;
    throw error;
  }
}

async function recognise(ask: Ask, listIsOptional: boolean): Promise<EngineKind> {
  const list = await ask('/v1/models');
  if (list.status === 401 || list.status === 403) refuse(list, 'a model list');
  // Another router of this kind may imitate several engines; it is none of them.
  if (isOwnedBy(list, 'weir')) return 'openai';
  const listed = asked.find((engine) => engine.isListedBy?.(list));
  if (listed) return listed.kind;
  for (const engine of asked) {
    // oxlint-disable-next-line no-await-in-loop -- the first that recognises the node ends the questions
    if (await recognises(engine, ask)) return engine.kind;
  }
  if (listEntries(list) === null && !(listIsOptional && isWithoutList(list))) refuse(list, 'a model list');
  return 'openai';
}

/** A server that hangs up on a path it does not know is not the engine that has it. */
async function recognises(engine: Engine, ask: Ask): Promise<boolean> {
  try {
    return (await engine.recognise?.(ask)) ?? false;
  } catch (error) {
    if (error instanceof ProbeStop) return false;
    throw error;
  }
}
