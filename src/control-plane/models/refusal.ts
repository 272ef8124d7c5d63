import { errorMessageOf } from '../../lib/error-message.ts';
import type { TaskKind } from '../task.ts';
import type { CallAnswer } from './node-call.ts';
import type { AttemptEnd } from './attempt-end.ts';

/** How an attempt ends that was answered with an error status. */
export function refusal(kind: TaskKind, { status, json }: CallAnswer): AttemptEnd {
  const said = errorMessageOf(json);
  const detail = `The engine answered ${status}${said === null ? '' : `: ${said.slice(0, 500)}`}.`;
  if (status === 401 || status === 403) {
    return { kind: 'failed', code: 'unauthorized', detail: `${detail} Set the node's apiKey.` };
  }
  if (said === null && (status === 404 || status === 405 || status === 501)) {
    return { kind: 'failed', code: 'not_supported', detail: `${detail} This version of it has no such endpoint.` };
  }
  if (status === 404) return { kind: 'failed', code: 'model_not_found', detail };
  if (status === 429 || status === 502 || status === 503 || status === 504) return { kind: 'again', detail };
  return { kind: 'failed', code: `${kind}_failed`, detail };
}
