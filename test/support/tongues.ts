import { responses } from './responses-tongue.ts';
import { frame, inPieces, named, type Said, textOf, type Tongue } from './tongue.ts';

// What a node says in each dialect: the same short answers as bytes in OpenAI's chat form, its responses form, Anthropic's and
// Ollama's, written from their public API references. With `speaking-node.ts` they make a node for any client.

const line = (value: object): string => `${JSON.stringify(value)}\n`;

// OpenAI, chat completions

const chunk = (model: string, delta: object, finish: string | null = null): string =>
  frame({
    id: 'chatcmpl-scripted',
    object: 'chat.completion.chunk',
    created: 0,
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

const openaiCall = ({ tool, args }: Extract<Said, { tool: string }>): object => ({
  id: 'call_1',
  type: 'function',
  function: { name: tool, arguments: JSON.stringify(args) },
});

const usage = { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 };

const openai: Tongue = {
  streamType: 'text/event-stream',
  open: (model) => [chunk(model, { role: 'assistant', content: '' })],
  say: (said, model) => {
    if ('pieces' in said) return said.pieces.map((content) => chunk(model, { content }));
    const begin = { index: 0, id: 'call_1', type: 'function', function: { name: said.tool, arguments: '' } };
    return [
      chunk(model, { tool_calls: [begin] }),
      ...inPieces(said.args).map((piece) =>
        chunk(model, { tool_calls: [{ index: 0, function: { arguments: piece } }] }),
      ),
    ];
  },
  close: (said, model) => [
    chunk(model, {}, 'pieces' in said ? 'stop' : 'tool_calls'),
    frame({ id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 0, model, choices: [], usage }),
    'data: [DONE]\n\n',
  ],
  whole: (said, model) => ({
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    created: 0,
    model,
    choices: [
      'pieces' in said
        ? { index: 0, message: { role: 'assistant', content: textOf(said) }, finish_reason: 'stop' }
        : {
            index: 0,
            message: { role: 'assistant', content: null, tool_calls: [openaiCall(said)] },
            finish_reason: 'tool_calls',
          },
    ],
    usage,
  }),
};

// Anthropic, messages

const block = (said: Said): object =>
  'pieces' in said ? { type: 'text', text: '' } : { type: 'tool_use', id: 'toolu_1', name: said.tool, input: {} };

const message = (model: string, content: readonly object[], stop: string | null): object => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model,
  content,
  stop_reason: stop,
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: stop === null ? 1 : 4 },
});

const stopOf = (said: Said): string => ('pieces' in said ? 'end_turn' : 'tool_use');

const anthropic: Tongue = {
  streamType: 'text/event-stream',
  open: (model) => [named(Object.assign({ type: 'message_start' }, { message: message(model, [], null) }))],
  say: (said) => {
    const deltas =
      'pieces' in said
        ? said.pieces.map((piece) => ({ type: 'text_delta', text: piece }))
        : inPieces(said.args).map((piece) => ({ type: 'input_json_delta', partial_json: piece }));
    return [
      { type: 'content_block_start', index: 0, content_block: block(said) },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    ].map(named);
  },
  close: (said) =>
    [
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: stopOf(said), stop_sequence: null }, usage: { output_tokens: 4 } },
      { type: 'message_stop' },
    ].map(named),
  whole: (said, model) => {
    const content =
      'pieces' in said
        ? { type: 'text', text: textOf(said) }
        : { type: 'tool_use', id: 'toolu_1', name: said.tool, input: said.args };
    return message(model, [content], stopOf(said));
  },
};

// Ollama, chat

const created = '2026-01-01T00:00:00.000000Z';
const counted = { done_reason: 'stop', done: true, total_duration: 9, prompt_eval_count: 5, eval_count: 4 };
const told = (model: string, content: object, more: object): object => ({
  model,
  created_at: created,
  message: { role: 'assistant', content: '', ...content },
  ...more,
});
const ollamaCall = ({ tool, args }: Extract<Said, { tool: string }>): object => ({
  tool_calls: [{ function: { name: tool, arguments: args } }],
});

const ollama: Tongue = {
  streamType: 'application/x-ndjson',
  open: () => [],
  say: (said, model) =>
    'pieces' in said
      ? said.pieces.map((content) => line(told(model, { content }, { done: false })))
      : [line(told(model, ollamaCall(said), { done: false }))],
  close: (_said, model) => [line(told(model, {}, counted))],
  whole: (said, model) => told(model, 'pieces' in said ? { content: textOf(said) } : ollamaCall(said), counted),
};

/** By the endpoint's path. */
export const tongues: Readonly<Record<string, Tongue>> = {
  '/v1/chat/completions': openai,
  // As Google has it.
  '/chat/completions': openai,
  '/v1/responses': responses,
  '/v1/messages': anthropic,
  '/api/chat': ollama,
};
