import { inPieces, named, type Said, textOf, type Tongue } from './tongue.ts';

// What a node says in OpenAI's responses form.

const item = (said: Said, status: string): object =>
  'pieces' in said
    ? {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        status,
        content:
          status === 'completed' ? [{ type: 'output_text', text: textOf(said), annotations: [], logprobs: [] }] : [],
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

export const responses: Tongue = {
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
            { type: 'response.output_text.done', ...at, text: textOf(said), logprobs: [] },
            {
              type: 'response.content_part.done',
              ...at,
              part: { type: 'output_text', text: textOf(said), annotations: [] },
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
