import fc from 'fast-check';
import { objectOf } from '../../src/data-plane/translate/rules.ts';
import type { Json } from '../../src/data-plane/translate/translation.ts';
import { readStream, type StreamName } from './streams.ts';

// Streams of chat completions, made or recorded, as objects.

export interface MadeCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** A chat answer and one way of cutting it into chunks. */
export interface MadeAnswer {
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly MadeCall[];
  readonly chunks: readonly Json[];
}

/** A chunk with one choice. */
export function chunk(delta: object, finish: string | null = null, more: object = {}): Json {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1767225600,
    model: 'engine-model',
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  };
}

/** The objects of an engine's stream of server-sent events. */
export function chunksOf(name: StreamName): Json[] {
  return readStream(name)
    .toString()
    .split('\n')
    .flatMap((line) => {
      const object = line.startsWith('data: {') ? objectOf(JSON.parse(line.slice(6))) : null;
      return object ? [object] : [];
    });
}

const pieces = fc.array(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 4 });
const json = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });

interface Cut {
  readonly reasoning: readonly string[];
  readonly texts: readonly string[];
  readonly calls: readonly { readonly json: object; readonly isEmpty: boolean; readonly cuts: readonly number[] }[];
  readonly order: readonly number[];
}

const cut: fc.Arbitrary<Cut> = fc.record({
  reasoning: pieces,
  texts: pieces,
  calls: fc.array(fc.record({ json, isEmpty: fc.boolean(), cuts: fc.array(fc.nat({ max: 60 }), { maxLength: 4 }) }), {
    maxLength: 4,
  }),
  order: fc.array(fc.nat({ max: 9 }), { maxLength: 60 }),
});

/** Answers of any content in chunks of any size, the pieces of reasoning, text and calls in any order among each other. */
export const madeAnswers: fc.Arbitrary<MadeAnswer> = cut.map(({ reasoning, texts, calls, order }) => {
  const made = calls.map((call, index) => ({
    id: `call_${index}`,
    name: `tool_${index}`,
    arguments: call.isEmpty ? '' : JSON.stringify(call.json),
    cuts: call.cuts,
  }));
  const queues: Json[][] = [
    reasoning.map((piece) => ({ reasoning_content: piece })),
    texts.map((piece) => ({ role: 'assistant', content: piece })),
    ...made.map(({ id, name, arguments: args, cuts }, index) => [
      { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
      ...cutText(args, cuts).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]),
  ];
  const deltas: Json[] = [];
  const takeFrom = (start: number): void => {
    const left = queues.filter((queue) => queue.length > 0);
    const delta = left[start % Math.max(1, left.length)]?.shift();
    if (delta) deltas.push(delta);
  };
  for (const start of order) takeFrom(start);
  while (queues.some((queue) => queue.length > 0)) takeFrom(0);
  return {
    reasoning: reasoning.join(''),
    text: texts.join(''),
    calls: made.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
    chunks: [
      ...deltas.map((delta) => chunk(delta)),
      chunk({}, made.length > 0 ? 'tool_calls' : 'stop'),
      { choices: [], usage: { prompt_tokens: 30, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 10 } } },
    ],
  };
});

function cutText(text: string, cuts: readonly number[]): string[] {
  const edges = [0, ...cuts.map((at) => at % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return edges.slice(1).map((end, index) => text.slice(edges[index], end));
}
