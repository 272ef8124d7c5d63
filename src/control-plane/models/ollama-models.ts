import { errorMessageOf } from '../../lib/error-message.ts';
import { numberField, textField } from '../json.ts';
import type { Means } from './means.ts';
import type { CallAnswer, NodeCall } from './node-call.ts';
import { refusal } from './refusal.ts';
import type { AttemptEnd } from './attempt-end.ts';

// Ollama's own means. A pull is a stream of lines, layer after layer, that ends with `success`; a failure in its middle is a line
// with `error`, of which some will be the same next time and most (the hub, the line) will not. What came is kept, and the next
// pull goes on there; leaving the stream stops it. Models come into memory by an empty generation and leave by one with
// `keep_alive` 0; those that only embed refuse that and are loaded by an empty embedding.

/** Checking the digest of a large model is silent for minutes. */
const SILENCE_MS = 600_000;
const LOADED_WITHIN_MS = 900_000;

const hopeless =
  /does not exist|not found|invalid|unauthorized|access denied|forbidden|no space left|requires a newer version|not compatible|unsupported/i;

export const pullOllama: Means = async (call, { model }, report) => {
  const layers = new Map<string, { readonly total: number; readonly completed: number }>();
  let failure: string | null = null;
  let isDone = false;
  // Older versions know `name` only.
  const wanted = { model, name: model, stream: true };
  const answer = await call.lines('/api/pull', wanted, SILENCE_MS, (line) => {
    failure ??= errorMessageOf(line);
    const status = textField(line, 'status');
    if (status === null) return;
    isDone ||= status === 'success';
    const digest = textField(line, 'digest');
    const total = numberField(line, 'total');
    if (digest !== null && total !== null) {
      layers.set(digest, { total, completed: numberField(line, 'completed') ?? 0 });
    }
    report({ detail: status.slice(0, 200), ...sum([...layers.values()]) });
  });
  if (answer.status !== 200) return refusal('pull', answer);
  if (failure !== null) return broken(failure);
  return isDone ? { kind: 'done' } : { kind: 'again', detail: 'The stream of the pull ended in its middle.' };
};

export const loadOllama: Means = async (call, { model, keepAlive }, report) => {
  report({ detail: 'loading', completedBytes: null, totalBytes: null });
  const keep = keepAlive === null ? {} : { keep_alive: keepAlive === 'pinned' ? -1 : keepAlive };
  return memoryEnd('load', await tell(call, { model, ...keep }));
};

export const unloadOllama: Means = async (call, { model }) => {
  return memoryEnd('unload', await tell(call, { model, keep_alive: 0 }));
};

async function tell(call: NodeCall, body: object): Promise<CallAnswer> {
  const answer = await call.ask('POST', '/api/generate', { ...body, stream: false }, LOADED_WITHIN_MS);
  const isEmbedder = answer.status === 400 && /does not support/i.test(errorMessageOf(answer.json) ?? '');
  return isEmbedder ? call.ask('POST', '/api/embed', { ...body, input: [] }, LOADED_WITHIN_MS) : answer;
}

function memoryEnd(kind: 'load' | 'unload', answer: CallAnswer): AttemptEnd {
  return answer.status === 200 ? { kind: 'done' } : refusal(kind, answer);
}

function broken(failure: string): AttemptEnd {
  const said = failure.slice(0, 500);
  if (!hopeless.test(failure)) return { kind: 'again', detail: `The engine could not go on: ${said}.` };
  return { kind: 'failed', code: 'pull_failed', detail: `The engine cannot pull it: ${said}.` };
}

function sum(layers: readonly { readonly total: number; readonly completed: number }[]) {
  if (layers.length === 0) return { completedBytes: null, totalBytes: null };
  return {
    completedBytes: layers.reduce((bytes, { completed }) => bytes + completed, 0),
    totalBytes: layers.reduce((bytes, { total }) => bytes + total, 0),
  };
}
