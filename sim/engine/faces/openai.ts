import { countTokens, embed, generate, hash, type Generation } from '../generation.ts';
import type { Machine } from '../machine.ts';
import { type Call, compute, findModel, fitsContext, readBody, type Routes } from './call.ts';
import { type ChunkShape, chatShape, completionShape } from './openai-answers.ts';
import { chatBody, completionBody, embeddingBody, textOf, toolToCall } from './openai-bodies.ts';

// OpenAI's API, which every engine has. The choices of one request (`n`) are decoded together as one sequence of the longest's length.

interface Exchange {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly promptTokens: number;
  readonly generations: readonly Generation[];
  readonly shape: ChunkShape;
}

export const openaiRoutes: Routes = {
  'GET /v1/models': (call, machine) => {
    call.answer.whole(200, { object: 'list', data: machine.settings.models.map((id) => modelCard(id, machine)) });
  },
  'GET /v1/models/*': (call, machine) => {
    const model = findModel(call, machine, decodeURIComponent(call.path.slice('/v1/models/'.length)));
    if (model !== null) call.answer.whole(200, modelCard(model, machine));
  },
  'POST /v1/chat/completions': (call, machine) => {
    const body = readBody(call, machine, chatBody);
    if (!body) return;
    const prompt = body.messages.map(({ role, content }) => `${role}: ${textOf(content)}`).join('\n');
    const ask = {
      prompt,
      last: textOf(body.messages.at(-1)?.content),
      maxTokens: body.max_completion_tokens ?? body.max_tokens ?? null,
      ignoresEnd: body.ignore_eos ?? false,
      tool: toolToCall(body),
    };
    answer(call, machine, body, countTokens(prompt), chatShape, (choice, length) =>
      generate({ ...ask, choice }, length),
    );
  },
  'POST /v1/completions': (call, machine) => {
    const body = readBody(call, machine, completionBody);
    if (!body) return;
    const prompt = typeof body.prompt === 'string' ? body.prompt : body.prompt.join('\n');
    const ask = {
      prompt,
      last: prompt,
      maxTokens: body.max_tokens ?? 16,
      ignoresEnd: body.ignore_eos ?? false,
      tool: null,
    };
    answer(call, machine, body, countTokens(prompt), completionShape, (choice, length) =>
      generate({ ...ask, choice }, length),
    );
  },
  'POST /v1/embeddings': (call, machine) => {
    const body = readBody(call, machine, embeddingBody);
    const model = body && findModel(call, machine, body.model);
    if (!body || model === null) return;
    const inputs = typeof body.input === 'string' ? [body.input] : body.input;
    const promptTokens = inputs.reduce((sum, text) => sum + countTokens(text), 0);
    if (!fitsContext(call, machine, promptTokens)) return;
    const size = body.dimensions ?? machine.settings.embeddingSize;
    compute(call, machine, {
      model,
      promptTokens,
      outputTokens: 0,
      onEnd: () => {
        const data = inputs.map((text, index) => {
          const vector = embed(text, size);
          const base64 = (): string => Buffer.from(Float32Array.from(vector).buffer).toString('base64');
          return { object: 'embedding', index, embedding: body.encoding_format === 'base64' ? base64() : vector };
        });
        call.answer.whole(200, {
          object: 'list',
          data,
          model,
          usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
        });
      },
    });
  },
};

interface AskedFor {
  readonly model: string;
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: { readonly include_usage?: boolean | undefined } | null | undefined;
  readonly n?: number | null | undefined;
}

function answer(
  call: Call,
  machine: Machine,
  body: AskedFor,
  promptTokens: number,
  shape: ChunkShape,
  generation: (choice: number, length: { min: number; max: number }) => Generation,
): void {
  const model = findModel(call, machine, body.model);
  if (model === null || !fitsContext(call, machine, promptTokens)) return;
  const exchange: Exchange = {
    model,
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
    promptTokens,
    generations: Array.from({ length: body.n ?? 1 }, (_, choice) => generation(choice, machine.settings.outputTokens)),
    shape,
  };
  if (exchange.stream) streamed(call, machine, exchange);
  else whole(call, machine, exchange);
}

function streamed(call: Call, machine: Machine, exchange: Exchange): void {
  const { model, promptTokens, generations, shape, includeUsage } = exchange;
  const common = commonFields(call, machine, model, shape.chunkObject);
  const send = (choices: readonly unknown[], more: Readonly<Record<string, unknown>> = {}): void => {
    const usage = includeUsage ? { usage: null } : {};
    call.answer.write(`data: ${JSON.stringify({ ...common, choices, ...usage, ...more })}\n\n`);
  };
  compute(call, machine, {
    model,
    promptTokens,
    outputTokens: longest(generations),
    onHead: () => {
      call.answer.head(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    },
    onToken: (at) => {
      generations.forEach((generation, index) => {
        const piece = generation.pieces[at];
        if (piece === undefined) return;
        if (at === 0) for (const choice of shape.opening(index, generation)) send([choice]);
        send([shape.piece(index, generation, piece)]);
        if (at === generation.pieces.length - 1) send([shape.closing(index, generation)], timings(machine, exchange));
      });
    },
    onEnd: () => {
      if (includeUsage) send([], { usage: usageOf(exchange) });
      call.answer.end('data: [DONE]\n\n');
    },
  });
}

function whole(call: Call, machine: Machine, exchange: Exchange): void {
  const { model, promptTokens, generations, shape } = exchange;
  compute(call, machine, {
    model,
    promptTokens,
    outputTokens: longest(generations),
    onEnd: () => {
      const common = commonFields(call, machine, model, shape.wholeObject);
      const choices = generations.map((generation, index) => shape.whole(index, generation));
      call.answer.whole(200, { ...common, choices, usage: usageOf(exchange), ...timings(machine, exchange) });
    },
  });
}

function commonFields(call: Call, machine: Machine, model: string, object: string): Record<string, unknown> {
  const id = `${hash(call.body.toString()).toString(16).padStart(8, '0')}${call.serial.toString(16).padStart(8, '0')}`;
  const created = Math.floor(machine.settings.clock.wall() / 1000);
  const prefix = object.startsWith('chat') ? 'chatcmpl' : 'cmpl';
  return {
    id: `${prefix}-${id}`,
    object,
    created,
    model,
    system_fingerprint: `fp_${machine.settings.profile.version}`,
  };
}

function usageOf({ promptTokens, generations }: Exchange): Record<string, number> {
  const completion = generations.reduce((sum, { pieces }) => sum + pieces.length, 0);
  return { prompt_tokens: promptTokens, completion_tokens: completion, total_tokens: promptTokens + completion };
}

/** llama.cpp tells its timings beside or instead of `usage`. */
function timings(machine: Machine, { promptTokens, generations }: Exchange): Record<string, unknown> {
  if (machine.settings.kind !== 'llamacpp') return {};
  return { timings: { prompt_n: promptTokens, predicted_n: longest(generations), cache_n: 0 } };
}

function longest(generations: readonly Generation[]): number {
  return Math.max(...generations.map(({ pieces }) => pieces.length));
}

function modelCard(id: string, machine: Machine): Record<string, unknown> {
  const { kind, profile, contextTokens } = machine.settings;
  const card = { id, object: 'model', created: 1_760_000_000, owned_by: profile.ownedBy };
  if (kind === 'vllm' || kind === 'sglang') return { ...card, root: id, parent: null, max_model_len: contextTokens };
  if (kind === 'llamacpp') return { ...card, meta: { vocab_type: 2, n_ctx_train: contextTokens, n_params: 1_000_000 } };
  return card;
}
