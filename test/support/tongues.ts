// What a node says in each dialect: the same short answers as bytes in OpenAI's chat form, its responses form, Anthropic's and
// Ollama's, written from their public API references. With `speaking-node.ts` they make a node for any client.

/** What is said: text in pieces, or one call of a tool. */
export type Said =
  | { readonly pieces: readonly string[] }
  | { readonly tool: string; readonly args: Readonly<Record<string, string>> };

export interface Tongue {
  readonly streamType: string;
  /** The bytes before the first piece, one string an event. */
  open(model: string): readonly string[];
  /** The bytes of what is said, at least one string a piece. */
  say(said: Said, model: string): readonly string[];
  /** The bytes after the last piece. */
  close(said: Said, model: string): readonly string[];
  /** The whole answer of a request that asked for no stream. */
  whole(said: Said, model: string): object;
}

const text = (said: Said): string => ('pieces' in said ? said.pieces.join('') : '');

/** A JSON text in three pieces, as engines stream arguments. */
function inPieces(args: Readonly<Record<string, string>>): readonly string[] {
  const json = JSON.stringify(args);
  return [json.slice(0, 3), json.slice(3, 7), json.slice(7)];
}

const frame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const named = (value: { readonly type: string }): string => `event: ${value.type}\n${frame(value)}`;
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
        ? { index: 0, message: { role: 'assistant', content: text(said) }, finish_reason: 'stop' }
        : {
            index: 0,
            message: { role: 'assistant', content: null, tool_calls: [openaiCall(said)] },
            finish_reason: 'tool_calls',
          },
    ],
    usage,
  }),
};

// OpenAI, responses

const item = (said: Said, status: string): object =>
  'pieces' in said
    ? {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        status,
        content:
          status === 'completed' ? [{ type: 'output_text', text: text(said), annotations: [], logprobs: [] }] : [],
      }
    : {
        id: 'fc_1',
        type: 'function_call',
        status,
        call_id: 'call_1',
        name: said.tool,
        arguments: status === 'completed' ? JSON.stringify(said.args) : '',
      };

const response = (model: string, status: string, output: readonly object[]): object => ({
  id: 'resp_1',
  object: 'response',
  created_at: 0,
  status,
  model,
  output,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  tool_choice: 'auto',
  tools: [],
  usage:
    status === 'completed'
      ? {
          input_tokens: 5,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: 4,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: 9,
        }
      : null,
});

const responses: Tongue = {
  streamType: 'text/event-stream',
  open: (model) => [
    named(Object.assign({ type: 'response.created' }, { response: response(model, 'in_progress', []) })),
  ],
  say: (said) => {
    const begin = { type: 'response.output_item.added', output_index: 0, item: item(said, 'in_progress') };
    if (!('pieces' in said)) {
      const pieces = inPieces(said.args).map((delta) => ({
        type: 'response.function_call_arguments.delta',
        item_id: 'fc_1',
        output_index: 0,
        delta,
      }));
      return [begin, ...pieces].map(named);
    }
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    const part = { type: 'output_text', text: '', annotations: [] };
    return [
      begin,
      { type: 'response.content_part.added', ...at, part },
      ...said.pieces.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    ].map(named);
  },
  close: (said, model) => {
    const done = item(said, 'completed');
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    const ends =
      'pieces' in said
        ? [
            { type: 'response.output_text.done', ...at, text: text(said), logprobs: [] },
            {
              type: 'response.content_part.done',
              ...at,
              part: { type: 'output_text', text: text(said), annotations: [] },
            },
          ]
        : [
            {
              type: 'response.function_call_arguments.done',
              item_id: 'fc_1',
              output_index: 0,
              arguments: JSON.stringify(said.args),
            },
          ];
    return [
      ...ends,
      { type: 'response.output_item.done', output_index: 0, item: done },
      { type: 'response.completed', response: response(model, 'completed', [done]) },
    ].map(named);
  },
  whole: (said, model) => response(model, 'completed', [item(said, 'completed')]),
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
        ? { type: 'text', text: text(said) }
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
  whole: (said, model) => told(model, 'pieces' in said ? { content: text(said) } : ollamaCall(said), counted),
};

/** By the endpoint's path. */
export const tongues: Readonly<Record<string, Tongue>> = {
  '/v1/chat/completions': openai,
  '/v1/responses': responses,
  '/v1/messages': anthropic,
  '/api/chat': ollama,
};
