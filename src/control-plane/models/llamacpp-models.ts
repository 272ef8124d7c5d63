import { field, listField, textField } from '../json.ts';
import type { Means } from './means.ts';
import type { NodeCall } from './node-call.ts';
import { refusal } from './refusal.ts';
import type { AttemptEnd } from './attempt-end.ts';

// llama.cpp in its router mode (started without a model) loads and unloads on request: the request is answered at once, and its list
// says when it is done. Started with a model it has neither endpoint.

const ASKED_WITHIN_MS = 30_000;
const ASKED_EVERY_MS = 500;
const LOADED_WITHIN_MS = 900_000;

export const loadLlamacpp: Means = async (call, { model, keepAlive }, report) => {
  if (keepAlive !== null && keepAlive !== 'pinned') return { kind: 'failed', code: 'not_supported', detail: NO_TIMES };
  report({ detail: 'loading', completedBytes: null, totalBytes: null });
  return change(call, 'load', model);
};

export const unloadLlamacpp: Means = (call, { model }) => change(call, 'unload', model);

const NO_TIMES = 'llama.cpp keeps what was loaded until it needs the place. Leave keepAlive out.';

const withoutRouter: AttemptEnd = {
  kind: 'failed',
  code: 'not_supported',
  detail: 'llama.cpp was started with one model. Start it without, in its router mode, to change models.',
};

async function change(call: NodeCall, kind: 'load' | 'unload', model: string): Promise<AttemptEnd> {
  const wanted = `${kind}ed`;
  if ((await stateOf(call, model)) === wanted) return { kind: 'done' };
  const answer = await call.ask('POST', `/models/${kind}`, { model }, ASKED_WITHIN_MS);
  if (answer.status === 404 || answer.status === 405 || answer.status === 501) return withoutRouter;
  if (answer.status !== 200) return refusal(kind, answer);
  for (let waitedMs = 0; waitedMs < LOADED_WITHIN_MS && !call.isOver; waitedMs += ASKED_EVERY_MS) {
    await call.pause(ASKED_EVERY_MS);
    const state = await stateOf(call, model);
    if (state === wanted) return { kind: 'done' };
    if (state === null) return withoutRouter;
    if (kind === 'load' && (state === 'failed' || state === 'unloaded')) {
      return { kind: 'failed', code: 'load_failed', detail: 'The engine could not load it; its log says why.' };
    }
  }
  return { kind: 'failed', code: `${kind}_failed`, detail: 'The engine did not finish in time.' };
}

async function stateOf(call: NodeCall, model: string): Promise<string | null> {
  const { json } = await call.ask('GET', '/models', null, ASKED_WITHIN_MS);
  const entry = listField(json, 'data')?.find((one) => textField(one, 'id') === model);
  const status = field(entry, 'status');
  return field(status, 'failed') === true ? 'failed' : textField(status, 'value');
}
