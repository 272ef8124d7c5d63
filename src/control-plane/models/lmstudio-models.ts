import { field, listField, numberField, textField } from '../json.ts';
import type { Means } from './means.ts';
import type { NodeCall } from './node-call.ts';
import { refusal } from './refusal.ts';
import type { AttemptEnd, Progress } from './attempt-end.ts';

// LM Studio's own means, its REST API of version 1 (LM Studio 0.4 and later). A download is a job of its own that is asked after; it
// cannot be called off over HTTP, so that cancelling the task leaves it running there. A model that was loaded by hand stays until it
// is unloaded, so that pinning needs no more; it may be loaded several times, and unloading ends all of them.

const ASKED_WITHIN_MS = 30_000;
const LOADED_WITHIN_MS = 900_000;
const ASKED_EVERY_MS = 1000;

export const pullLmstudio: Means = async (call, { model }, report) => {
  const begun = await call.ask('POST', '/api/v1/models/download', { model }, ASKED_WITHIN_MS);
  if (begun.status !== 200) return refusal('pull', begun);
  const job = textField(begun.json, 'job_id');
  for (let { json } = begun; !call.isOver;) {
    const status = textField(json, 'status');
    report(progressOf(json, status));
    if (status === 'completed' || status === 'already_downloaded') return { kind: 'done' };
    if (status === 'failed') return { kind: 'again', detail: 'The engine says that the download failed.' };
    if (status === null || job === null) return unreadable;
    await call.pause(ASKED_EVERY_MS);
    const path = `/api/v1/models/download/status/${encodeURIComponent(job)}`;
    const answer = await call.ask('GET', path, null, ASKED_WITHIN_MS);
    if (answer.status !== 200) return refusal('pull', answer);
    ({ json } = answer);
  }
  return { kind: 'again', detail: 'It was called off.' };
};

export const loadLmstudio: Means = async (call, { model, keepAlive }, report) => {
  if (keepAlive !== null && keepAlive !== 'pinned') {
    const detail = 'LM Studio keeps what was loaded until it is unloaded. Leave keepAlive out, or say "pinned".';
    return { kind: 'failed', code: 'not_supported', detail };
  }
  const loaded = await instancesOf(call, model);
  if (!Array.isArray(loaded)) return loaded;
  if (loaded.length > 0) return { kind: 'done' };
  report({ detail: 'loading', completedBytes: null, totalBytes: null });
  const answer = await call.ask('POST', '/api/v1/models/load', { model }, LOADED_WITHIN_MS);
  return answer.status === 200 ? { kind: 'done' } : refusal('load', answer);
};

export const unloadLmstudio: Means = async (call, { model }) => {
  const loaded = await instancesOf(call, model);
  if (!Array.isArray(loaded)) return loaded;
  for (const instance of loaded) {
    const answer = await call.ask('POST', '/api/v1/models/unload', { instance_id: instance }, ASKED_WITHIN_MS);
    if (answer.status !== 200) return refusal('unload', answer);
  }
  return { kind: 'done' };
};

const unreadable: AttemptEnd = {
  kind: 'failed',
  code: 'not_supported',
  detail: 'The engine did not answer as LM Studio 0.4 and later do. Update it.',
};

async function instancesOf(call: NodeCall, model: string): Promise<string[] | AttemptEnd> {
  const answer = await call.ask('GET', '/api/v1/models', null, ASKED_WITHIN_MS);
  const models = answer.status === 200 ? listField(answer.json, 'models') : null;
  if (models === null) return answer.status === 200 ? unreadable : refusal('load', answer);
  const found = models.find((entry) => textField(entry, 'key') === model);
  return (listField(found, 'loaded_instances') ?? []).flatMap((instance) => textField(instance, 'id') ?? []);
}

function progressOf(json: unknown, status: string | null): Progress {
  const isWhole = field(json, 'downloaded_bytes') === undefined;
  return {
    detail: status ?? 'asked',
    completedBytes: isWhole ? null : numberField(json, 'downloaded_bytes'),
    totalBytes: numberField(json, 'total_size_bytes'),
  };
}
