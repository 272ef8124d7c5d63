import { z } from 'zod';
import type { ToolSpecification } from '../generation.ts';

// OpenAI's request bodies, as far as the engine looks at them, and what it reads out of them.

const tokens = z.int().min(1).nullish();
const part = z.looseObject({ type: z.string(), text: z.string().optional() });
const tool = z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) });

const common = {
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: tokens,
  n: z.int().min(1).max(16).nullish(),
  ignore_eos: z.boolean().nullish(),
};

export const chatBody = z.looseObject({
  ...common,
  max_completion_tokens: tokens,
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(part)]).nullish() }))
    .min(1),
  tools: z.array(tool).nullish(),
  tool_choice: z
    .union([z.enum(['none', 'auto', 'required']), z.looseObject({ function: z.looseObject({ name: z.string() }) })])
    .nullish(),
});
export type ChatBody = z.output<typeof chatBody>;

export const completionBody = z.looseObject({ ...common, prompt: z.union([z.string(), z.array(z.string()).min(1)]) });

export const embeddingBody = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
});

/** The text of one message. */
export function textOf(content: ChatBody['messages'][number]['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((piece) => piece.text ?? '').join('');
}

/**
 * The tool that the answer must call: a named or required one, else one whose name stands in the user's last message. Null for text,
 * as after a tool's result.
 */
export function toolToCall(body: ChatBody): ToolSpecification | null {
  const tools = (body.tools ?? []).map(({ function: { name, parameters } }) => ({ name, parameters }));
  const choice = body.tool_choice ?? 'auto';
  if (typeof choice === 'object') return tools.find(({ name }) => name === choice.function.name) ?? null;
  if (choice === 'none') return null;
  if (choice === 'required') return tools[0] ?? null;
  const last = body.messages.at(-1);
  if (last?.role !== 'user') return null;
  const text = textOf(last.content);
  return tools.find(({ name }) => text.includes(name)) ?? null;
}
