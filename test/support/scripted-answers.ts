import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

// What a scripted node may do with a request, and ready-made behaviours: each is a `Scripted` or makes one.

export interface ScriptedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON; throws where it is not. */
  json(): unknown;
  /** How many requests for this path came before this one. */
  readonly nth: number;
}

export interface Reply {
  /** node:http's own response, for a well-formed answer written piece by piece. */
  readonly response: ServerResponse;
  /** The socket, for bytes that are not HTTP. After a raw write end or destroy it: node:http does not know about it. */
  readonly socket: Socket;
  json(status: number, value: unknown, headers?: OutgoingHttpHeaders): void;
  /** Sends raw bytes past node:http. */
  raw(bytes: string | Buffer): void;
  /** Ends the connection with an RST, as a killed process does. */
  reset(): void;
  /** Settles when the client's connection is gone. */
  readonly gone: Promise<void>;
}

export type Scripted = (request: ScriptedRequest, reply: Reply) => void | Promise<void>;

const TEXT = ['Hello', ' from', ' a', ' node'];

/** A short chat completion, as a stream where the request asks for one. */
export const chat: Scripted = (request, reply) => {
  if (wantsStream(request.body)) return chatStream(TEXT)(request, reply);
  reply.json(200, completion(TEXT.join('')));
};

/** An OpenAI chat stream of these pieces, each its own event, ended by `[DONE]`. */
export function chatStream(pieces: readonly string[]): Scripted {
  return (_request, reply) => {
    reply.response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) reply.response.write(deltaEvent(piece));
    reply.response.end(`${finishEvent()}data: [DONE]\n\n`);
  };
}

/** Accepts the request and never answers. */
export const frozen: Scripted = () => undefined;

/** Answers with this status and OpenAI's error form. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}, message = 'scripted'): Scripted {
  return (_request, reply) => reply.json(code, { error: { message, type: 'scripted', code: null } }, headers);
}

/** One handler after the other; the last one stays. */
export function inTurn(...steps: readonly Scripted[]): Scripted {
  let turn = 0;
  return (request, reply) => {
    const step = steps[Math.min(turn, steps.length - 1)];
    turn += 1;
    return step?.(request, reply);
  };
}

/** Holds every request until `release()`; then, and for those that come later, `then` answers. */
export function held(then: Scripted = chat): { readonly answer: Scripted; release(): void; waiting(): number } {
  let waiting = 0;
  const gate = Promise.withResolvers<void>();
  return {
    answer: async (request, reply) => {
      waiting += 1;
      await Promise.race([gate.promise, reply.gone]);
      waiting -= 1;
      if (!reply.socket.destroyed) await then(request, reply);
    },
    release: () => gate.resolve(),
    waiting: () => waiting,
  };
}

/** A chat completion's body. */
export function completion(content: string, model = 'llama3'): Record<string, unknown> {
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    created: 0,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 },
  };
}

/** One SSE event that carries `content`. */
export function deltaEvent(content: string, model = 'llama3'): string {
  return chunkEvent({ content }, null, model);
}

/** The SSE event that says `stop`; `[DONE]` follows it. */
export function finishEvent(model = 'llama3'): string {
  return chunkEvent({}, 'stop', model);
}

function chunkEvent(delta: Record<string, string>, finish: string | null, model: string): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const chunk = { id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 0, model, choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function wantsStream(body: Buffer): boolean {
  try {
    const asked: unknown = JSON.parse(body.toString());
    return typeof asked === 'object' && asked !== null && 'stream' in asked && asked.stream === true;
  } catch {
    return false;
  }
}
