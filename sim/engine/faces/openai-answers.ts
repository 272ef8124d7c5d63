import { hash, type Generation } from '../generation.ts';

// How chat completions and text completions differ on the wire.

export interface ChunkShape {
  readonly chunkObject: string;
  readonly wholeObject: string;
  /** Choices of the chunks before the first piece. */
  opening(index: number, generation: Generation): readonly unknown[];
  piece(index: number, generation: Generation, text: string): unknown;
  closing(index: number, generation: Generation): unknown;
  /** The choice of an answer that is not streamed. */
  whole(index: number, generation: Generation): unknown;
}

export const chatShape: ChunkShape = {
  chunkObject: 'chat.completion.chunk',
  wholeObject: 'chat.completion',
  opening: (index, { tool }) => {
    if (!tool) return [delta(index, { role: 'assistant', content: '' })];
    const call = {
      index: 0,
      id: callId(index, tool.name),
      type: 'function',
      function: { name: tool.name, arguments: '' },
    };
    return [delta(index, { role: 'assistant', content: null, tool_calls: [call] })];
  },
  piece: (index, { tool }, text) =>
    delta(index, tool ? { tool_calls: [{ index: 0, function: { arguments: text } }] } : { content: text }),
  closing: (index, { finish }) => delta(index, {}, finish),
  whole: (index, { tool, pieces, finish }) => {
    const text = pieces.join('');
    const call = tool && {
      id: callId(index, tool.name),
      type: 'function',
      function: { name: tool.name, arguments: text },
    };
    const message = call
      ? { role: 'assistant', content: null, tool_calls: [call] }
      : { role: 'assistant', content: text, refusal: null };
    return { index, message, logprobs: null, finish_reason: finish };
  },
};

export const completionShape: ChunkShape = {
  chunkObject: 'text_completion',
  wholeObject: 'text_completion',
  opening: () => [],
  piece: (index, _generation, text) => ({ index, text, logprobs: null, finish_reason: null }),
  closing: (index, { finish }) => ({ index, text: '', logprobs: null, finish_reason: finish }),
  whole: (index, { pieces, finish }) => ({ index, text: pieces.join(''), logprobs: null, finish_reason: finish }),
};

function delta(index: number, change: Readonly<Record<string, unknown>>, finish: string | null = null): unknown {
  return { index, delta: change, logprobs: null, finish_reason: finish };
}

function callId(index: number, name: string): string {
  return `call_${hash(`${index}:${name}`).toString(16).padStart(8, '0')}`;
}
