import type { IncomingMessage, ServerResponse } from 'node:http';
import { clientError } from './api/dialect.ts';
import { dialects } from './api/dialects.ts';
import { findModel, listModels } from './api/model-list.ts';
import { listRunning, listTags, OLLAMA_VERSION } from './api/ollama-list.ts';
import { mayUse } from './auth/callers.ts';
import type { DataPlane } from './data-plane.ts';
import type { ErrorCode } from '../fleet/errors.ts';
import type { Dialect } from '../fleet/glossary.ts';
import { isBodyUnread } from './http/read-body.ts';
import { missingHint } from './missing-hint.ts';
import { sendError, sendErrorUnread, sendJson, sendNothing } from './http/reply.ts';
import type { Route } from './http/routes.ts';

/** Every endpoint at which no node answers. */
export type PlainRoute = Exclude<Route, { kind: 'inference' | 'command' }>;

interface FailDetail {
  readonly headers?: readonly string[];
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | null;
}

/** Answers from what the router knows. Lists wait until the fleet has been looked at once, rather than tell what is not so. */
export async function answerPlainly(
  plane: DataPlane,
  route: PlainRoute,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = plane.nextId();
  const ownHeaders = ['x-request-id', requestId];
  const fail = (dialect: Dialect, code: ErrorCode, { headers = [], message, ...detail }: FailDetail = {}): void => {
    const error = clientError(code, { requestId, ...detail, ...(message === undefined ? {} : { message }) });
    const all = [...ownHeaders, ...headers];
    if (isBodyUnread(request)) sendErrorUnread(request, response, dialects[dialect], error, all, plane.clock);
    else sendError(response, dialects[dialect], error, all);
  };
  switch (route.kind) {
    case 'greeting':
    case 'healthz':
      return sendJson(request, response, 200, ownHeaders, { status: 'alive' });
    case 'readyz': {
      const isReady = plane.snapshot.settled && !plane.draining;
      const status = isReady ? 'ready' : plane.draining ? 'draining' : 'starting';
      return sendJson(request, response, isReady ? 200 : 503, ownHeaders, { status });
    }
    case 'no-host':
      return fail('openai', 'invalid_header', { message: 'An HTTP/1.1 request must have a Host header.' });
    case 'not-found':
      return fail(route.dialect, 'not_found');
    case 'options':
      return sendNothing(request, response, [...ownHeaders, 'allow', route.allow], plane.clock);
    case 'wrong-method':
      return fail(route.dialect, 'method_not_allowed', { headers: ['allow', route.allow] });
    case 'models':
    case 'model':
    case 'ollama-tags':
    case 'ollama-ps':
    case 'ollama-version': {
      const dialect: Dialect = route.kind === 'models' || route.kind === 'model' ? 'openai' : 'ollama';
      const { callers, clock } = plane;
      const identified = callers.enter(request, plane.snapshot, clock.now(), clock.wall());
      if (identified.kind === 'refused') {
        return fail(dialect, identified.code, { retryAfterMs: identified.retryAfterMs });
      }
      identified.leave();
      if (route.kind === 'ollama-version')
        return sendJson(request, response, 200, ownHeaders, { version: OLLAMA_VERSION });
      await plane.whenSettled();
      const maySee = (name: string): boolean =>
        plane.targets.of(name, (each) => mayUse(identified.caller, each)).length > 0;
      const shown = plane.targets.shown(plane.snapshot);
      if (route.kind === 'models') return sendJson(request, response, 200, ownHeaders, listModels(shown, maySee));
      if (route.kind === 'ollama-tags') return sendJson(request, response, 200, ownHeaders, listTags(shown, maySee));
      if (route.kind === 'ollama-ps') {
        return sendJson(request, response, 200, ownHeaders, listRunning(shown, maySee, clock.wall()));
      }
      if (!maySee(route.id)) return fail('openai', 'not_allowed');
      const model = findModel(shown, route.id);
      if (model) return sendJson(request, response, 200, ownHeaders, model);
      return fail('openai', 'model_not_found', { message: missingHint(plane.snapshot, 'model_not_found', route.id) });
    }
  }
}
