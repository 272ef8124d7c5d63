import { streamRule } from '../chat/stream-rule.ts';
import {
  drafted,
  emptyOr,
  type FieldRule,
  type FieldRules,
  ignored,
  nested,
  objectOf,
  passes,
  renamed,
  textOf,
} from '../rules.ts';
import type { Json, Translator } from '../translation.ts';
import { MessageTelling } from './telling.ts';
import { toolChoiceRule, toolsRule } from './tools.ts';
import { readTurns } from './turns.ts';

// Anthropic's messages for nodes that speak only chat completions. Ignored are hints that change no answer (caching, service tiers,
// editing of a context that the client still sends whole, beta switches that Claude Code sets on every request); the reasons
// are in docs/dialects.md.
//
// `thinking` has no counterpart that all engines take: whether a model thinks is its template's affair, and the words for it differ
// (`chat_template_kwargs`, `reasoning`, `think`), while OpenAI refuses words it does not know. So only how much is said, as
// `reasoning_effort`, where the client says it; and where it asks for no thinking, none is shown.

const FROM = '/v1/messages';
const TO = '/v1/chat/completions';

const efforts: Readonly<Record<string, string>> = {
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

const effort: FieldRule = (value, field, { call, objections }) => {
  const told = typeof value === 'string' && Object.hasOwn(efforts, value) ? efforts[value] : undefined;
  if (told === undefined) objections.malformed(field, 'low, medium, high, xhigh or max');
  else call['reasoning_effort'] = told;
};

const format: FieldRule = (value, field, { call, objections }) => {
  const { type, schema, ...rest } = objectOf(value) ?? {};
  if (type !== 'json_schema' || objectOf(schema) === null) {
    objections.malformed(field, 'an object of type json_schema with a schema');
  }
  for (const unknown of Object.keys(rest)) objections.unsayable(`${field}.${unknown}`);
  call['response_format'] = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
};

// How much to spend is advice that nothing enforces.
const outputRules: FieldRules = { effort, format, task_budget: ignored };

const thinking: FieldRule = (value, field, { call, objections }) => {
  const config = objectOf(value);
  const type = config?.['type'];
  if (type !== 'enabled' && type !== 'adaptive' && type !== 'disabled') {
    objections.malformed(`${field}.type`, 'enabled, adaptive or disabled');
  }
  const budget = config?.['budget_tokens'];
  if (type === 'enabled' && typeof budget === 'number') call['reasoning_effort'] ??= effortOf(budget);
};

/** As much as the budget suggests; 1024 is the least that Anthropic takes, 31999 what Claude Code gives for "think hard". */
function effortOf(budgetTokens: number): string {
  if (budgetTokens < 4096) return 'low';
  return budgetTokens < 16_384 ? 'medium' : 'high';
}

const metadata: FieldRule = (value, _field, { call }) => {
  const user = objectOf(value)?.['user_id'];
  if (typeof user === 'string') call['user'] = user;
};

const rules: FieldRules = {
  model: passes,
  max_tokens: passes,
  temperature: passes,
  top_p: passes,
  top_k: passes,
  stop_sequences: renamed('stop'),
  stream: streamRule,
  system: ignored, // read with the messages
  messages: ignored, // read below
  tools: toolsRule,
  tool_choice: toolChoiceRule,
  output_config: nested(outputRules),
  output_format: format,
  thinking,
  metadata,
  container: emptyOr(),
  mcp_servers: emptyOr(),
  inference_geo: emptyOr('global'),
  cache_control: ignored,
  context_management: ignored,
  diagnostics: ignored,
  fallbacks: ignored,
  fallback_credit_token: ignored,
  service_tier: ignored,
  speed: ignored,
  user_profile_id: ignored,
};

/** `/v1/messages` told as `/v1/chat/completions`. */
export const messagesToChat: Translator = {
  from: FROM,
  to: TO,
  translate: (asked) => {
    const { call, objections } = drafted(asked, rules, FROM, TO);
    call['messages'] = readTurns(asked, objections);
    if (objections.first) return objections.first;
    const wanted = {
      model: textOf(asked['model']),
      stopTexts: textsOf(asked['stop_sequences']),
      hidesThinking: hidesThinking(objectOf(asked['thinking'])),
    };
    return { call, answer: () => new MessageTelling(wanted) };
  },
};

function hidesThinking(config: Json | null): boolean {
  return config?.['type'] === 'disabled' || config?.['display'] === 'omitted';
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
