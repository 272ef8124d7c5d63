import { type FieldRule, type FieldRules, ignored, nested, objectOf, passes, renamed } from '../rules.ts';

// What Ollama's calls have in common beyond their prompt, as fields of OpenAI's chat and completions.
//
// Sampling beyond OpenAI's own goes under the names that llama.cpp, vLLM and SGLang gave it; an engine that does not know one
// ignores or refuses it by itself, and a refusal reaches the client. What an engine is started with (the context's length, layers on
// the GPU, threads) cannot be chosen by a request elsewhere than in Ollama, where it loads the model anew: it is left out, since
// clients such as Open WebUI always send it, and so is what newer releases of Ollama themselves ignore.

/** Ollama's option → the fields that say it. */
const sampling: Readonly<Record<string, readonly string[]>> = {
  temperature: ['temperature'],
  top_p: ['top_p'],
  seed: ['seed'],
  stop: ['stop'],
  presence_penalty: ['presence_penalty'],
  frequency_penalty: ['frequency_penalty'],
  top_k: ['top_k'],
  min_p: ['min_p'],
  // llama.cpp's and LM Studio's name, then vLLM's and SGLang's.
  repeat_penalty: ['repeat_penalty', 'repetition_penalty'],
  typical_p: ['typical_p'],
  repeat_last_n: ['repeat_last_n'],
  mirostat: ['mirostat'],
  mirostat_tau: ['mirostat_tau'],
  mirostat_eta: ['mirostat_eta'],
  num_keep: ['n_keep'],
};

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

/** 0, -1 and -2 all mean: as long as it takes. */
const limit: FieldRule = (value, _field, { call }) => {
  if (typeof value === 'number' && value > 0) call['max_tokens'] = value;
};

const optionRules: FieldRules = {
  ...Object.fromEntries(Object.entries(sampling).map(([option, names]) => [option, renamed(...names)])),
  ...Object.fromEntries([...settledAtStart, ...withdrawn].map((option) => [option, ignored])),
  num_predict: limit,
};

/** "json" or a JSON schema. */
const format: FieldRule = (value, field, { call, objections }) => {
  const schema = objectOf(value);
  if (value === 'json') call['response_format'] = { type: 'json_object' };
  else if (schema) call['response_format'] = { type: 'json_schema', json_schema: { name: 'answer', schema } };
  else objections.malformed(field, '"json" or a JSON schema');
};

/**
 * Engines leave it to the model's template whether it thinks; the name most templates look for is `enable_thinking`. Levels have a field
 * of OpenAI's, which llama.cpp knows in the template's arguments only.
 */
const think: FieldRule = (value, field, { call, objections }) => {
  if (typeof value === 'boolean') call['chat_template_kwargs'] = { enable_thinking: value };
  else if (typeof value === 'string') {
    call['reasoning_effort'] = value;
    call['chat_template_kwargs'] = { enable_thinking: true, reasoning_effort: value };
  } else objections.malformed(field, 'true, false or a level: "low", "medium" or "high"');
};

/** Fields of each call but its prompt. */
export const settings: FieldRules = {
  model: passes,
  format,
  options: nested(optionRules),
  think,
  logprobs: passes,
  top_logprobs: passes,
  stream: ignored, // Streams unless told not to: read with the call.
  // How long a model stays loaded, and how a prompt too long is cut: neither can be asked of others.
  keep_alive: ignored,
  truncate: ignored,
  shift: ignored,
};

const ownNames: ReadonlyMap<string, string> = new Map([
  ...Object.entries(sampling).flatMap(([option, names]) =>
    names.map((name): [string, string] => [name, `options.${option}`]),
  ),
  ['max_tokens', 'options.num_predict'],
  ['response_format', 'format'],
  ['reasoning_effort', 'think'],
  ['chat_template_kwargs', 'think'],
]);

/** Ollama's name for what a field of chat says. */
export function ownName(field: string): string {
  return ownNames.get(field) ?? field;
}
