import type { EngineKind } from '../fleet/glossary.ts';

// Which engines speak what. Chat, completions and embeddings in OpenAI's form are spoken by all that people run themselves; everything else only by
// some, and untranslated requests go only to those. A kind is listed where a release of it has the endpoint: an older one, or one
// started without it, answers 404 or 501, and then another node is asked (attempt/verdict.ts) and that node is left out for a
// while (unspoken.ts). `openai` stands for servers of unknown make, so they are taken at their word to have all of OpenAI's API,
// and none of another's.
//
// Sources: llama.cpp's `tools/server/README.md` (its list of POST endpoints; rerank wants `--rerank`); vLLM's "Online Serving" page
// (Responses, Transcriptions, Translations, Messages with `count_tokens`, Rerank); Ollama's "OpenAI compatibility" (Responses since
// 0.13.3) and "Anthropic compatibility" pages (Messages, without `count_tokens`); LM Studio's "OpenAI Compatible Endpoints"
// (Responses) and "Anthropic Compatible Endpoints" pages (Messages); SGLang's "Native APIs" page (`/v1/rerank`) and its
// `entrypoints/http_server.py` (`/v1/responses`). Add-ons that serve images or speech under vLLM's or SGLang's name are not
// recognised as such: set `engine: openai` for them.

const speakers = {
  ollama: ['ollama'],
  messages: ['anthropic', 'llamacpp', 'lmstudio', 'ollama', 'vllm'],
  'count-tokens': ['anthropic', 'llamacpp', 'vllm'],
  responses: ['llamacpp', 'lmstudio', 'ollama', 'openai', 'sglang', 'vllm'],
  rerank: ['llamacpp', 'openai', 'sglang', 'vllm'],
  transcriptions: ['llamacpp', 'openai', 'vllm'],
  translations: ['openai', 'vllm'],
  moderations: ['openai'],
  images: ['openai'],
  speech: ['openai'],
} as const satisfies Record<string, readonly EngineKind[]>;

/** What an endpoint asks of an engine beyond what all of them speak. */
export type Speech = keyof typeof speakers;

/** Every set of engines that speaks something together, by the set's name. */
export const engineGroups: ReadonlyMap<string, ReadonlySet<EngineKind>> = new Map(
  Object.values(speakers).map((engines): [string, ReadonlySet<EngineKind>] => [engines.join(), new Set(engines)]),
);

/** The name of the set of engines that speak it. */
export function groupOf(speech: Speech): string {
  return speakers[speech].join();
}

/** True where engines of this kind are known to speak it. */
export function speaks(engine: EngineKind, speech: Speech): boolean {
  return engineGroups.get(groupOf(speech))?.has(engine) ?? false;
}

/** Who lacks an endpoint that all engines of one's own have. */
const lacking: Partial<Record<EngineKind, ReadonlySet<string>>> = {
  anthropic: new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings']),
  google: new Set(['/v1/completions']),
};

/** True where engines of this kind, as far as it is known, take a request to this endpoint as it comes. */
export function speaksRoute(
  engine: EngineKind | undefined,
  { speech, path }: { readonly speech: Speech | null; readonly path: string },
): boolean {
  if (engine === undefined) return speech === null;
  return speech === null ? lacking[engine]?.has(path) !== true : speaks(engine, speech);
}

/** Begins what is put behind a model's name where it is placed among some engines only. No model's name has it. */
const MARK = '\u0000';

/** The model's name among the engines of a group. */
export function nameInGroup(model: string, group: string): string {
  return model + MARK + group;
}

/** The model's public name again. */
export function publicName(placement: string): string {
  const mark = placement.indexOf(MARK);
  return mark < 0 ? placement : placement.slice(0, mark);
}

/** True for a model's name among some engines only. */
export function isInGroup(placement: string): boolean {
  return placement.includes(MARK);
}
