import { at } from './json-path.ts';
import type { Reply, Scripted, ScriptedRequest } from './scripted-answers.ts';
import type { Said, Tongue } from './tongue.ts';
import { tongues } from './tongues.ts';

// A node that answers whichever dialect it is asked in: a sentence, or, where it is offered tools and was told no result of one
// yet, a call of the first tool. What a client is told of it is the same in every dialect, so that one set of expectations
// holds for all of them.

export const ANSWER = ['Three', ' of', ' four', ' are taken'] as const;
export const ARGS = { node: 'gpu' } as const;

/** Answers as asked for, streamed or whole. */
export const speaking: Scripted = answering(sentenceOrCall);

/** A node that says what `answerTo` makes of a call. */
export function answering(answerTo: (call: unknown) => Said): Scripted {
  return (request, reply) => answer(request, reply, answerTo);
}

function answer(request: ScriptedRequest, reply: Reply, answerTo: (call: unknown) => Said): void {
  const { tongue, model, isStream } = heard(request);
  const said = answerTo(request.json());
  if (!isStream) return reply.json(200, tongue.whole(said, model));
  begin(reply, tongue);
  for (const bytes of [...tongue.open(model), ...tongue.say(said, model), ...tongue.close(said, model)])
    reply.response.write(bytes);
  reply.response.end();
}

/** Begins to stream an answer and goes on with it until the client is gone. */
export const endless: Scripted = async (request, reply) => {
  beginTalking(request, reply);
  await reply.gone;
};

/** Begins to stream an answer and dies, without an end, once `when` has settled. */
export function dying(when: Promise<void>): Scripted {
  return async (request, reply) => {
    beginTalking(request, reply);
    await when;
    reply.reset();
  };
}

function beginTalking(request: ScriptedRequest, reply: Reply): void {
  const { tongue, model } = heard(request);
  begin(reply, tongue);
  for (const bytes of [...tongue.open(model), ...tongue.say(sentenceOrCall(request.json()), model)])
    reply.response.write(bytes);
}

function begin(reply: Reply, { streamType }: Tongue): void {
  reply.response.writeHead(200, { 'content-type': streamType });
}

interface Heard {
  readonly tongue: Tongue;
  readonly model: string;
  readonly isStream: boolean;
}

function heard(request: ScriptedRequest): Heard {
  const path = request.path.split('?', 1)[0] ?? '';
  const tongue = tongues[path];
  if (!tongue) throw new Error(`a speaking node was asked for ${path}`);
  const call = request.json();
  const model = at(call, 'model');
  // Ollama streams unless it is told not to.
  const isStream = path.startsWith('/api/') ? at(call, 'stream') !== false : at(call, 'stream') === true;
  return { tongue, model: typeof model === 'string' ? model : '', isStream };
}

/** A call where tools are offered and no result of one lies in the conversation. */
function sentenceOrCall(call: unknown): Said {
  const tool = at(call, 'tools', 0, 'function', 'name') ?? at(call, 'tools', 0, 'name');
  return typeof tool === 'string' && !hasToolResult(call) ? { tool, args: ARGS } : { pieces: ANSWER };
}

/** True where a conversation, in any dialect, holds what a tool gave. */
export function hasToolResult(call: unknown): boolean {
  return /"role":"tool"|"tool_result"|"function_call_output"/.test(JSON.stringify(call));
}
