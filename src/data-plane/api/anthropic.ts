import { type ClientError, type DialectForm, queueFields, typedEvent } from './dialect.ts';

/** Anthropic's word for each status; its SDKs choose the exception by the status, people read the word. */
const TYPE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
]);

function typeOf(status: number): string {
  return TYPE_BY_STATUS.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

function errorText(error: ClientError): string {
  return JSON.stringify({
    type: 'error',
    error: { type: typeOf(error.status), message: error.message, code: error.code, ...queueFields(error) },
    request_id: error.requestId,
  });
}

/** Engines that speak Anthropic's dialect do not all speak it in errors. */
function isOwnError(body: Buffer): boolean {
  const parsed: unknown = JSON.parse(body.toString());
  if (typeof parsed !== 'object' || parsed === null || !('type' in parsed) || !('error' in parsed)) return false;
  const { type, error } = parsed;
  return type === 'error' && typeof error === 'object' && error !== null && 'type' in error && 'message' in error;
}

/** Anthropic's form: typed events, errors as an `error` event. */
export const anthropic: DialectForm = {
  name: 'anthropic',
  streamForm: 'sse',
  streamContentType: 'text/event-stream; charset=utf-8',
  errorBody: (error) => Buffer.from(errorText(error)),
  isOwnError,
  streamObject: typedEvent,
  streamEnd: '',
  streamError: (error) => Buffer.from(`event: error\ndata: ${errorText(error)}\n\n`),
  keepAlive: (news) => Buffer.from(`: ${news}\n\nevent: ping\ndata: {"type": "ping"}\n\n`),
};
