import { z } from 'zod';
import { countTokens, embed, generate, hash, type Generation } from '../generation.ts';
import type { Machine } from '../machine.ts';
import { type Call, complain, compute, findModel, fitsContext, readBody, type Routes } from './call.ts';
import { toolToCall } from './openai-bodies.ts';

// Ollama's own API. Streams are NDJSON and the default; durations are nanoseconds. A model out of memory is loaded by the first
// request for it, which gets no headers before; `keep_alive: 0` takes it out of memory after the answer.

const options = z.looseObject({ num_predict: z.int().nullish() }).nullish();
const keepAlive = z.union([z.number(), z.string()]).nullish();
const shared = { model: z.string().min(1), stream: z.boolean().nullish(), options, keep_alive: keepAlive };
const tool = z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) });
const chatBody = z.looseObject({
  ...shared,
  messages: z.array(z.looseObject({ role: z.string(), content: z.string().nullish() })).default([]),
  tools: z.array(tool).nullish(),
});
const generateBody = z.looseObject({ ...shared, prompt: z.string().default(''), system: z.string().nullish() });
const embedBody = z.looseObject({ model: z.string().min(1), input: z.union([z.string(), z.array(z.string())]) });
const oldEmbedBody = z.looseObject({ model: z.string().min(1), prompt: z.string() });
const showBody = z.looseObject({ model: z.string().optional(), name: z.string().optional() });

export const ollamaRoutes: Routes = {
  'GET /': (call) => call.answer.whole(200, 'Ollama is running', { 'content-type': 'text/plain; charset=utf-8' }),
  'GET /api/version': (call, machine) => call.answer.whole(200, { version: machine.settings.profile.version }),
  'GET /api/tags': (call, machine) => {
    call.answer.whole(200, { models: machine.settings.models.map((model) => tag(model)) });
  },
  'GET /api/ps': (call, machine) => {
    const { models, clock, contextTokens } = machine.settings;
    const expires = new Date(clock.wall() + 5 * 60_000).toISOString();
    const resident = models.filter((model) => machine.residency.state(model) === 'resident');
    const more = { expires_at: expires, size_vram: 2_000_000_000, context_length: contextTokens };
    call.answer.whole(200, { models: resident.map((model) => Object.assign(tag(model), more)) });
  },
  'POST /api/show': (call, machine) => {
    const body = readBody(call, machine, showBody);
    const model = body && findModel(call, machine, body.model ?? body.name ?? '');
    if (!model) return;
    call.answer.whole(200, {
      modelfile: `FROM ${model}`,
      template: '{{ .Prompt }}',
      details: details(),
      model_info: { 'general.architecture': 'sim', 'sim.context_length': machine.settings.contextTokens },
      capabilities: ['completion', 'tools'],
    });
  },
  'POST /api/chat': (call, machine) => {
    const body = readBody(call, machine, chatBody);
    if (!body) return;
    const prompt = body.messages.map(({ role, content }) => `${role}: ${content ?? ''}`).join('\n');
    const last = body.messages.at(-1)?.content ?? '';
    const shape = { text: (text: string) => ({ message: { role: 'assistant', content: text } }) };
    produce(call, machine, body, { prompt, last, isEmpty: body.messages.length === 0 }, shape, toolToCall(body));
  },
  'POST /api/generate': (call, machine) => {
    const body = readBody(call, machine, generateBody);
    if (!body) return;
    const prompt = `${body.system ?? ''}${body.prompt}`;
    const shape = { text: (text: string) => ({ response: text }) };
    produce(call, machine, body, { prompt, last: body.prompt, isEmpty: body.prompt === '' }, shape, null);
  },
  'POST /api/embed': (call, machine) => {
    const body = readBody(call, machine, embedBody);
    if (!body) return;
    const inputs = typeof body.input === 'string' ? [body.input] : body.input;
    embedAll(call, machine, body.model, inputs, (embeddings, more) => ({ embeddings, ...more }));
  },
  'POST /api/embeddings': (call, machine) => {
    const body = readBody(call, machine, oldEmbedBody);
    if (body) embedAll(call, machine, body.model, [body.prompt], (embeddings) => ({ embedding: embeddings[0] }));
  },
};

interface Shape {
  text(text: string): Readonly<Record<string, unknown>>;
}

function produce(
  call: Call,
  machine: Machine,
  body: z.output<typeof generateBody> | z.output<typeof chatBody>,
  { prompt, last, isEmpty }: { prompt: string; last: string; isEmpty: boolean },
  shape: Shape,
  asked: ReturnType<typeof toolToCall>,
): void {
  const model = findModel(call, machine, body.model);
  if (model === null) return;
  const { clock, outputTokens } = machine.settings;
  const unloads = body.keep_alive === 0 || body.keep_alive === '0' || body.keep_alive === '0s';
  const stamp = (): Record<string, unknown> => ({
    model: body.model,
    created_at: new Date(clock.wall()).toISOString(),
  });
  if (isEmpty) {
    // Ollama's way to load or unload a model by hand.
    const done = (reason: string): void =>
      call.answer.whole(200, { ...stamp(), ...shape.text(''), done: true, done_reason: reason });
    if (unloads) {
      machine.residency.unload(model);
      done('unload');
    } else call.whenGone(machine.residency.ensure(model, () => done('load')));
    return;
  }
  const promptTokens = countTokens(prompt);
  if (!fitsContext(call, machine, promptTokens)) return;
  const limit = body.options?.num_predict ?? null;
  const maxTokens = limit !== null && limit > 0 ? limit : null;
  const generation = generate({ prompt, last, maxTokens, ignoresEnd: false, tool: asked, choice: 0 }, outputTokens);
  const askedAt = clock.now();
  let firstAt = askedAt;
  const closing = (): Record<string, unknown> => ending(machine, generation, promptTokens, askedAt, firstAt);
  const streams = body.stream ?? true;
  const line = (value: Readonly<Record<string, unknown>>): void => {
    call.answer.write(`${JSON.stringify({ ...stamp(), ...value })}\n`);
  };
  compute(call, machine, {
    model,
    promptTokens,
    outputTokens: generation.pieces.length,
    onHead: () => {
      firstAt = clock.now();
      if (streams) call.answer.head(200, { 'content-type': 'application/x-ndjson' });
    },
    onToken: (at) => {
      if (streams && !generation.tool) line({ ...shape.text(generation.pieces[at] ?? ''), done: false });
    },
    onEnd: () => {
      const spoken = generation.tool ? toolMessage(generation.tool) : shape.text(generation.pieces.join(''));
      if (streams) {
        if (generation.tool) line({ ...spoken, done: false });
        line({ ...shape.text(''), ...closing() });
        call.answer.end();
      } else call.answer.whole(200, { ...stamp(), ...spoken, ...closing() });
      if (unloads) machine.residency.unload(model);
    },
  });
}

function ending(
  machine: Machine,
  generation: Generation,
  promptTokens: number,
  askedAt: number,
  firstAt: number,
): Record<string, unknown> {
  const now = machine.settings.clock.now();
  return {
    done: true,
    done_reason: generation.finish === 'length' ? 'length' : 'stop',
    total_duration: nanoseconds(now - askedAt),
    load_duration: nanoseconds(0),
    prompt_eval_count: promptTokens,
    prompt_eval_duration: nanoseconds(firstAt - askedAt),
    eval_count: generation.pieces.length,
    eval_duration: nanoseconds(now - firstAt),
  };
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}

function toolMessage(called: NonNullable<Generation['tool']>): Record<string, unknown> {
  return { message: { role: 'assistant', content: '', tool_calls: [{ function: called }] } };
}

function embedAll(
  call: Call,
  machine: Machine,
  asked: string,
  inputs: readonly string[],
  shape: (embeddings: number[][], more: Readonly<Record<string, unknown>>) => unknown,
): void {
  const model = findModel(call, machine, asked);
  if (model === null) return;
  if (inputs.length === 0) {
    complain(call, machine, 400, 'no input provided');
    return;
  }
  const promptTokens = inputs.reduce((sum, text) => sum + countTokens(text), 0);
  const onEnd = (): void => {
    const embeddings = inputs.map((text) => embed(text, machine.settings.embeddingSize));
    call.answer.whole(200, shape(embeddings, { model: asked, prompt_eval_count: promptTokens }));
  };
  compute(call, machine, { model, promptTokens, outputTokens: 0, onEnd });
}

function tag(model: string): Record<string, unknown> {
  const name = model.includes(':') ? model : `${model}:latest`;
  const digest = hash(name).toString(16).padStart(8, '0').repeat(8);
  return { name, model: name, modified_at: '2026-01-01T00:00:00Z', size: 2_000_000_000, digest, details: details() };
}

function details(): Record<string, unknown> {
  return {
    parent_model: '',
    format: 'gguf',
    family: 'sim',
    families: ['sim'],
    parameter_size: '3.2B',
    quantization_level: 'Q4_K_M',
  };
}
