import { systemClock } from '../../../lib/clock.ts';
import {
  drafted,
  emptyOr,
  type FieldRule,
  type FieldRules,
  ignored,
  objectOf,
  passes,
  renamed,
  textOf,
} from '../rules.ts';
import type { Translator } from '../translation.ts';
import { ChatTelling } from './telling.ts';
import { parallelRule, toolChoiceRule, toolsRule } from './tools.ts';
import { readMessages } from './turns.ts';

// Chat completions for Anthropic. Two things differ in kind. Anthropic wants a limit where chat needs none: without one it is 8192,
// which all of its models take; whoever needs longer answers says so. And it has no words for much that shapes sampling
// (penalties, seeds, biases): those are refused, since an answer that silently ignores them is not the one asked for.

const FROM = '/v1/chat/completions';
const TO = '/v1/messages';

const MOST_TOKENS_UNASKED = 8192;

const efforts: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
};

const effort: FieldRule = (value, field, { call, objections }) => {
  if (value === 'none') return;
  const told = typeof value === 'string' && Object.hasOwn(efforts, value) ? efforts[value] : undefined;
  if (told === undefined) objections.malformed(field, 'none, minimal, low, medium, high, xhigh or max');
  else call['output_config'] = { ...objectOf(call['output_config']), effort: told };
};

const format: FieldRule = (value, field, { call, objections }) => {
  const { type, json_schema: wanted } = objectOf(value) ?? {};
  if (type === 'text') return;
  const schema = objectOf(objectOf(wanted)?.['schema']);
  if (type === 'json_object') objections.unsayable(field, 'give a json_schema instead');
  else if (type !== 'json_schema' || schema === null)
    objections.malformed(field, 'text or a json_schema with a schema');
  else {
    call['output_config'] = { ...objectOf(call['output_config']), format: { type: 'json_schema', schema } };
  }
};

const stop: FieldRule = (value, field, { call, objections }) => {
  if (typeof value === 'string') call['stop_sequences'] = [value];
  else if (Array.isArray(value)) call['stop_sequences'] = value;
  else objections.malformed(field, 'a string or a list of strings');
};

const user: FieldRule = (value, _field, { call }) => {
  call['metadata'] ??= { user_id: value };
};

/** How engines are told whether to think. Not to is what Anthropic's models do unasked; to think there needs a number of tokens. */
const templateFields: FieldRule = (value, field, { objections }) => {
  for (const [name, said] of Object.entries(objectOf(value) ?? {}))
    if (name !== 'enable_thinking' || said !== false) objections.unsayable(`${field}.${name}`);
};

const rules: FieldRules = {
  model: passes,
  messages: ignored, // read below
  max_tokens: passes,
  max_completion_tokens: renamed('max_tokens'),
  temperature: passes,
  top_p: passes,
  top_k: passes,
  thinking: passes,
  stream: passes,
  stream_options: ignored, // read below
  stop,
  tools: toolsRule,
  tool_choice: toolChoiceRule,
  parallel_tool_calls: parallelRule,
  response_format: format,
  reasoning_effort: effort,
  chat_template_kwargs: templateFields,
  user,
  safety_identifier: user,
  n: emptyOr(1),
  logprobs: emptyOr(false),
  top_logprobs: emptyOr(0),
  logit_bias: emptyOr(),
  frequency_penalty: emptyOr(0),
  presence_penalty: emptyOr(0),
  modalities: (value, field, draft) => {
    if (!Array.isArray(value) || value.some((one) => one !== 'text')) draft.objections.unsayable(field);
  },
  store: emptyOr(false),
  verbosity: emptyOr('medium'),
  metadata: ignored,
  prediction: ignored,
  service_tier: ignored,
  prompt_cache_key: ignored,
  prompt_cache_options: ignored,
  prompt_cache_retention: ignored,
};

/** `/v1/chat/completions` told as `/v1/messages`. */
export const chatToMessages: Translator = {
  from: FROM,
  to: TO,
  translate: (asked) => {
    const { call, objections } = drafted(asked, rules, FROM, TO);
    call['max_tokens'] ??= MOST_TOKENS_UNASKED;
    // A choice among no tools is an error there.
    if (!('tools' in call)) delete call['tool_choice'];
    Object.assign(call, readMessages(asked['messages'], objections));
    if (objections.first) return objections.first;
    const told = {
      model: textOf(asked['model']),
      includesUsage: objectOf(asked['stream_options'])?.['include_usage'] === true,
    };
    return { call, answer: () => new ChatTelling({ ...told, createdAt: Math.floor(systemClock.wall() / 1000) }) };
  },
};
