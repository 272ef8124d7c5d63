import { type Faults, isJson, isUnset, refuseOthers } from './ollama-fields.ts';
import type { Json } from './translation.ts';

// What Ollama's calls have in common beyond their prompt, as fields of OpenAI's chat and completions.
//
// Sampling beyond OpenAI's own goes under the names that llama.cpp, vLLM and SGLang gave it; an engine that does not know one
// ignores or refuses it by itself, and a refusal reaches the client. What an engine is started with (the context's length, layers on
// the GPU, threads) cannot be chosen by a request elsewhere than in Ollama, where it loads the model anew: it is left out, since
// clients such as Open WebUI always send it, and so is what newer releases of Ollama themselves ignore.

/** Ollama's option → the fields that say it. */
const sampling: ReadonlyMap<string, readonly string[]> = new Map([
  ['temperature', ['temperature']],
  ['top_p', ['top_p']],
  ['seed', ['seed']],
  ['stop', ['stop']],
  ['presence_penalty', ['presence_penalty']],
  ['frequency_penalty', ['frequency_penalty']],
  ['top_k', ['top_k']],
  ['min_p', ['min_p']],
  // llama.cpp's and LM Studio's name, then vLLM's and SGLang's.
  ['repeat_penalty', ['repeat_penalty', 'repetition_penalty']],
  ['typical_p', ['typical_p']],
  ['repeat_last_n', ['repeat_last_n']],
  ['mirostat', ['mirostat']],
  ['mirostat_tau', ['mirostat_tau']],
  ['mirostat_eta', ['mirostat_eta']],
  ['num_keep', ['n_keep']],
]);

const ownNames: ReadonlyMap<string, string> = new Map([
  ...[...sampling].flatMap(([option, names]) => names.map((name): [string, string] => [name, `options.${option}`])),
  ['max_tokens', 'options.num_predict'],
  ['response_format', 'format'],
  ['reasoning_effort', 'think'],
  ['chat_template_kwargs', 'think'],
]);

/** Ollama's name for what a field of chat says. */
export function ownName(field: string): string {
  return ownNames.get(field) ?? field;
}

const settledAtStart: readonly string[] = [
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
  'numa',
  'low_vram',
  'use_mmap',
  'use_mlock',
  'f16_kv',
  'vocab_only',
  'logits_all',
  'embedding_only',
  'num_gqa',
  'rope_frequency_base',
  'rope_frequency_scale',
];

/** Taken out of Ollama itself. */
const withdrawn: readonly string[] = ['tfs_z', 'penalize_newline'];

const knownOptions: ReadonlySet<string> = new Set([...sampling.keys(), ...settledAtStart, ...withdrawn, 'num_predict']);

/** Fields of every call that mean nothing elsewhere: how long a model stays loaded, and how a prompt too long is cut. */
export const leftOut: readonly string[] = ['keep_alive', 'truncate', 'shift'];

/** `options`, as sampling fields and `max_tokens`. */
export function optionFields({ options }: Json, faults: Faults): Json {
  if (isUnset(options)) return {};
  if (!isJson(options)) {
    faults.push({ field: 'options', message: 'options must be an object.' });
    return {};
  }
  refuseOthers(options, knownOptions, faults, 'options.');
  const fields: Record<string, unknown> = {};
  for (const [option, names] of sampling) {
    const value = options[option];
    if (!isUnset(value)) for (const name of names) fields[name] = value;
  }
  // 0, -1 and -2 all mean: as long as it takes.
  const most = options['num_predict'];
  if (typeof most === 'number' && most > 0) fields['max_tokens'] = most;
  return fields;
}

/** `format`: "json" or a JSON schema. */
export function formatField({ format }: Json, faults: Faults): Json {
  if (isUnset(format)) return {};
  if (format === 'json') return { response_format: { type: 'json_object' } };
  if (isJson(format))
    return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format } } };
  faults.push({ field: 'format', message: 'format must be "json" or a JSON schema.' });
  return {};
}

/**
 * `think`. Engines leave it to the model's template whether it thinks; the name most templates look for is `enable_thinking`. Levels
 * have a field of OpenAI's, which llama.cpp knows in the template's arguments only.
 */
export function thinkFields({ think }: Json, faults: Faults): Json {
  if (isUnset(think)) return {};
  if (typeof think === 'boolean') return { chat_template_kwargs: { enable_thinking: think } };
  if (typeof think === 'string') {
    return { reasoning_effort: think, chat_template_kwargs: { enable_thinking: true, reasoning_effort: think } };
  }
  faults.push({ field: 'think', message: 'think must be true, false or a level: "low", "medium" or "high".' });
  return {};
}

export function logprobFields({ logprobs, top_logprobs: top }: Json): Json {
  return { ...(isUnset(logprobs) ? {} : { logprobs }), ...(isUnset(top) ? {} : { top_logprobs: top }) };
}

/** Ollama streams unless told not to, and tells the counts at the end unasked. */
export function streamFields({ stream }: Json): Json {
  return stream === false ? {} : { stream: true, stream_options: { include_usage: true } };
}

/** True for a `keep_alive` that says: unload it now. */
export function unloads({ keep_alive: keepAlive }: Json): boolean {
  return keepAlive === 0 || (typeof keepAlive === 'string' && /^0+(?:\.0+)?(?:ns|us|µs|ms|s|m|h)?$/.test(keepAlive));
}
