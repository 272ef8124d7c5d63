import type { z } from 'zod';
import type { Answer } from '../answer.ts';
import { EngineFull, type Machine } from '../machine.ts';

// What a face gets to answer one request, and what all faces do alike.

export interface Call {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly body: Buffer;
  /** Counts the engine's requests. */
  readonly serial: number;
  readonly answer: Answer;
  /** `run` is called if the client leaves before the answer is complete. */
  whenGone(run: () => void): void;
}

export type Route = (call: Call, machine: Machine) => void;

/** By `METHOD /path`; a key that ends in `*` fits all that begins so. */
export type Routes = Readonly<Record<string, Route>>;

/** An error in the engine's own words. */
export function complain(
  call: Call,
  machine: Machine,
  status: number,
  message: string,
  retryAfterSeconds?: number,
): void {
  const { kind } = machine.settings;
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  if (kind === 'ollama' && call.path.startsWith('/api/')) {
    call.answer.whole(status, { error: message }, headers);
    return;
  }
  const pascal = pascalType(status);
  switch (kind) {
    case 'vllm':
      call.answer.whole(status, { error: { message, type: pascal, param: null, code: status } }, headers);
      return;
    case 'sglang':
      call.answer.whole(status, { object: 'error', message, type: pascal, param: null, code: status }, headers);
      return;
    case 'llamacpp':
      call.answer.whole(status, { error: { code: status, message, type: snakeType(status) } }, headers);
      return;
    case 'openai':
    case 'ollama':
    case 'lmstudio':
      call.answer.whole(status, { error: { message, type: snakeType(status), param: null, code: null } }, headers);
  }
}

/** The body as the schema says, or null after a 400 was sent. */
export function readBody<T extends z.ZodType>(call: Call, machine: Machine, schema: T): z.output<T> | null {
  let value: unknown;
  try {
    value = JSON.parse(call.body.toString());
  } catch {
    complain(call, machine, 400, 'the body is not JSON');
    return null;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  complain(call, machine, 400, problems.join('; '));
  return null;
}

/** The engine's own name for an asked model, or null after its 404 was sent. */
export function findModel(call: Call, machine: Machine, asked: string): string | null {
  const { models, profile, kind } = machine.settings;
  const found = models.find((model) => model === asked || `${model}:latest` === asked || model === `${asked}:latest`);
  if (found !== undefined) return found;
  if (!profile.checksModel) return models[0] ?? null;
  complain(
    call,
    machine,
    404,
    kind === 'ollama' ? `model '${asked}' not found` : `The model \`${asked}\` does not exist.`,
  );
  return null;
}

/** False after the engine's 400 for a prompt beyond its context was sent. */
export function fitsContext(call: Call, machine: Machine, promptTokens: number): boolean {
  const { contextTokens, kind } = machine.settings;
  if (promptTokens <= contextTokens) return true;
  if (kind === 'llamacpp') {
    const message = `request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`;
    const type = 'exceed_context_size_error';
    call.answer.whole(400, {
      error: { code: 400, message, type, n_prompt_tokens: promptTokens, n_ctx: contextTokens },
    });
    return false;
  }
  const message =
    `This model's maximum context length is ${contextTokens} tokens. However, your request has ${promptTokens} input tokens. ` +
    'Please reduce the length of the input messages.';
  complain(call, machine, 400, message);
  return false;
}

export interface Computation {
  readonly model: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Called when the answer's head may go out: at the start or with the first token, as the engine does. */
  onHead?(): void;
  onToken?(index: number): void;
  onEnd(): void;
}

/** Computes on the machine for this call: cancelled if the client leaves, refused if the engine is full. */
export function compute(call: Call, machine: Machine, computation: Computation): void {
  const { model, promptTokens, outputTokens } = computation;
  const { headAt } = machine.settings.profile;
  try {
    const cancel = machine.run(model, {
      promptTokens,
      outputTokens,
      onStart: () => {
        if (headAt === 'start') computation.onHead?.();
      },
      onToken: (index) => {
        if (index === 0) computation.onHead?.();
        computation.onToken?.(index);
      },
      onEnd: () => computation.onEnd(),
    });
    call.whenGone(cancel);
  } catch (error) {
    if (!(error instanceof EngineFull)) throw error;
    complain(call, machine, 503, 'server busy, please try again. maximum pending requests exceeded');
  }
}

function pascalType(status: number): string {
  const known: Readonly<Record<number, string>> = {
    400: 'BadRequestError',
    401: 'AuthenticationError',
    404: 'NotFoundError',
  };
  return known[status] ?? (status < 500 ? 'BadRequestError' : 'InternalServerError');
}

function snakeType(status: number): string {
  const known: Readonly<Record<number, string>> = {
    401: 'authentication_error',
    404: 'not_found_error',
    429: 'rate_limit_error',
    503: 'unavailable_error',
  };
  return known[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error');
}
