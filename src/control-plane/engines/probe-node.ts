import type { EngineKind } from '../../fleet/glossary.ts';
import { type Former, listingOf, type ProbeAnswer, type ProbeResult } from '../probe.ts';
import { type Ask, ProbeStop, refuse } from './ask.ts';
import { anthropic } from './anthropic.ts';
import type { Engine } from './engine.ts';
import { google } from './google.ts';
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
//
// A known engine is asked as such, and recognised anew where that does not fit, where its list became another (a restart may put
// another engine at the same address between two probes), or where an administrator asks. Two engines that list the same models
// of the same owner and answer the same paths are told apart only by the last.

const engines: Readonly<Record<EngineKind, Engine>> = {
  ollama,
  llamacpp,
  vllm,
  sglang,
  lmstudio,
  openai,
  anthropic,
  google,
};
const asked: readonly Engine[] = [ollama, llamacpp, vllm, sglang, lmstudio];

/**
 * Probes once. Never rejects for anything a node does; `engine: null` recognises it, unless it still is what it was `former`ly.
 * `listIsOptional` where an operator named the models: some servers have no `/v1/models`.
 */
export async function probeNode(
  ask: Ask,
  engine: EngineKind | null,
  listIsOptional: boolean,
  former: Former | null = null,
): Promise<ProbeResult> {
  const probeAs = async (kind: EngineKind): Promise<ProbeAnswer> => ({
    kind: 'answered',
    engine: kind,
    ...(await engines[kind].probe(ask, listIsOptional)),
  });
  try {
    if (engine !== null) return await probeAs(engine);
    const answer = former ? await unlessUnfit(probeAs(former.engine)) : null;
    if (former && answer && isFamiliar(former, answer)) return answer;
    const kind = await recognise(ask, listIsOptional, answer?.engine ?? null);
    return answer?.engine === kind ? answer : await probeAs(kind);
  } catch (error) {
    if (error instanceof ProbeStop) return error.failure;
    throw error;
  }
}

/** Null where what answered is another engine than was asked for. One in trouble (5xx) is still the same. */
async function unlessUnfit(answer: Promise<ProbeAnswer>): Promise<ProbeAnswer | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProbeStop && error.failure.kind === 'nonsense' && (error.status ?? 0) < 500) return null;
    throw error;
  }
}

function isFamiliar({ listing, isDoubted }: Former, { models }: ProbeAnswer): boolean {
  return !isDoubted && (listing === null || models === null || listingOf(models) === listing);
}

/** `fitting`: what it was and still answers as. */
async function recognise(ask: Ask, listIsOptional: boolean, fitting: EngineKind | null): Promise<EngineKind> {
  const list = await ask('/v1/models');
  if (list.status === 401 || list.status === 403) refuse(list, 'a model list');
  // Another router of this kind may imitate several engines; it is none of them.
  if (isOwnedBy(list, 'weir')) return 'openai';
  const listed = asked.find((engine) => engine.isListedBy?.(list));
  if (listed) return listed.kind;
  // All at once: one path that is never answered must not use up the time of the others.
  const questions = asked.map(({ kind, recognise: question }) => ({ kind, answer: recognises(ask, question) }));
  let silent: EngineKind | null = null;
  for (const { kind, answer } of questions) {
    const isRecognised = await answer;
    if (isRecognised === true) return kind;
    if (isRecognised === null && kind === fitting) silent = kind;
  }
  // A busy engine that leaves a question open has not become another one.
  if (silent) return silent;
  if (listEntries(list) === null && !(listIsOptional && isWithoutList(list))) refuse(list, 'a model list');
  return 'openai';
}

/** Null where nothing answered: silence, or a server that hangs up on a path it does not know. */
async function recognises(ask: Ask, question: Engine['recognise']): Promise<boolean | null> {
  try {
    return (await question?.(ask)) ?? false;
  } catch (error) {
    if (error instanceof ProbeStop) return null;
    throw error;
  }
}
