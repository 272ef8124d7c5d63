import { streamRule } from '../chat/stream-rule.ts';
import {
  drafted,
  emptyOr,
  type FieldRule,
  type FieldRules,
  ignored,
  knowsOnly,
  nested,
  objectOf,
  passes,
  refused,
  renamed,
  textOf,
} from '../rules.ts';
import type { Translator } from '../translation.ts';
import { readItems } from './items.ts';
import { ResponseTelling } from './telling.ts';
import { toolChoiceRule, toolsRule } from './tools.ts';

// OpenAI's responses for nodes that speak only chat completions. Nothing is kept between requests: whoever asks to go on from an earlier
// response is told to send the conversation, as most clients of responses do anyway (Codex and the agents' SDK with
// `store: false`). What concerns only OpenAI's own tools, caches and accounts is ignored; docs/dialects.md names it all.

const FROM = '/v1/responses';
const TO = '/v1/chat/completions';

const kept = refused('no conversation is kept between requests, so send all of it as input');

const formatFields = new Set(['type', 'name', 'description', 'schema', 'strict']);

const format: FieldRule = (value, field, { call, objections }) => {
  const wanted = objectOf(value) ?? {};
  const { type, ...schema } = wanted;
  if (type === 'json_object') call['response_format'] = { type };
  else if (type === 'json_schema') {
    knowsOnly(wanted, field, formatFields, objections);
    call['response_format'] = { type, json_schema: schema };
  } else if (type !== 'text') objections.malformed(`${field}.type`, 'text, json_object or json_schema');
};

const textRules: FieldRules = { format, verbosity: renamed('verbosity') };

const reasoningRules: FieldRules = {
  effort: renamed('reasoning_effort'),
  // Nobody there can sum it up; what the model thinks is told as it is.
  summary: ignored,
  generate_summary: ignored,
};

const include: FieldRule = (value, field, { objections }) => {
  const wanted: readonly unknown[] = Array.isArray(value) ? value : [];
  const at = wanted.indexOf('message.output_text.logprobs');
  if (at >= 0) objections.unsayable(`${field}[${at}]`);
};

const rules: FieldRules = {
  model: passes,
  instructions: ignored, // read with the input
  input: ignored, // read below
  max_output_tokens: renamed('max_tokens'),
  temperature: passes,
  top_p: passes,
  user: passes,
  stream: streamRule,
  text: nested(textRules),
  reasoning: nested(reasoningRules),
  tools: toolsRule,
  tool_choice: toolChoiceRule,
  parallel_tool_calls: passes,
  include,
  previous_response_id: kept,
  conversation: kept,
  background: emptyOr(false),
  truncation: emptyOr('disabled'),
  top_logprobs: emptyOr(0),
  context_management: emptyOr(),
  store: ignored,
  metadata: ignored, // told back in the answer
  max_tool_calls: ignored,
  safety_identifier: ignored,
  service_tier: ignored,
  prompt_cache_key: ignored,
  prompt_cache_options: ignored,
  prompt_cache_retention: ignored,
  client_metadata: ignored,
  stream_options: ignored,
};

/** `/v1/responses` told as `/v1/chat/completions`. */
export const responsesToChat: Translator = {
  from: FROM,
  to: TO,
  translate: (asked) => {
    const { call, objections } = drafted(asked, rules, FROM, TO);
    // Without tools OpenAI refuses it, and it says nothing.
    if (!('tools' in call)) delete call['parallel_tool_calls'];
    if (!('user' in call) && textOf(asked['safety_identifier'])) call['user'] = asked['safety_identifier'];
    call['messages'] = readItems(asked, objections);
    if (objections.first) return objections.first;
    return { call, answer: () => new ResponseTelling(asked) };
  },
};
