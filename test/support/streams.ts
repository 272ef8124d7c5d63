import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Usage } from '../../src/fleet/settlement.ts';
import type { AnswerWatch } from '../../src/data-plane/relay/answer-watch.ts';

export const streamNames = [
  'llamacpp-chat.sse',
  'llamacpp-chat-timings.sse',
  'llamacpp-error.sse',
  'vllm-chat.sse',
  'vllm-completions.sse',
  'vllm-tools.sse',
  'vllm-two-choices-unmarked.sse',
  'vllm-error.sse',
  'sglang-chat.sse',
  'openai-responses.sse',
  'openai-responses-failed.sse',
  'anthropic-messages.sse',
  'anthropic-crlf.sse',
  'anthropic-error.sse',
  'ollama-chat.ndjson',
  'ollama-generate.ndjson',
  'ollama-error.ndjson',
] as const;
export type StreamName = (typeof streamNames)[number];

/** An engine's stream from test/fixtures/streams. */
export function readStream(name: StreamName): Buffer {
  return readFileSync(new URL(`../fixtures/streams/${name}`, import.meta.url));
}

export interface Watched {
  readonly text: string;
  readonly ended: boolean;
  readonly failed: string | null;
  readonly tooLong: boolean;
  readonly frames: number;
  readonly sawContent: boolean;
  readonly usage: Usage | null;
}

/** Feeds the chunks and the end to a watch and tells all that it said. */
export function watchAll(watch: AnswerWatch, chunks: readonly Buffer[]): Watched {
  const out: Buffer[] = [];
  for (const chunk of chunks) {
    const forwarded = watch.push(chunk);
    if (forwarded) out.push(forwarded);
  }
  const rest = watch.finish();
  if (rest) out.push(rest);
  const { ended, failed, tooLong, frames, sawContent } = watch;
  return { text: Buffer.concat(out).toString(), ended, failed, tooLong, frames, sawContent, usage: watch.usage() };
}

/** The bytes cut at the given indexes; empty pieces where two are equal. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

/** Random cuts of `bytes` into up to 21 chunks. */
export function cutsOf(bytes: Buffer): fc.Arbitrary<number[]> {
  return fc.array(fc.nat({ max: bytes.length }), { maxLength: 20 });
}
