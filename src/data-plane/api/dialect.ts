import { errors } from '../../fleet/errors.ts';
import type { ErrorCode } from '../../fleet/errors.ts';
import type { Dialect } from '../../fleet/glossary.ts';
import type { QueueStanding } from '../queue-standing.ts';

/** An error as one client is told it; a dialect gives it its form. */
export interface ClientError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly status: number;
  /** OpenAI's `error.type`. */
  readonly type: string;
  readonly requestId: string;
  /** Ms after which a retry may succeed, or null where none is told. */
  readonly retryAfterMs: number | null;
  /** Where it stood in the queue, or would have; null where that was not why. */
  readonly standing: QueueStanding | null;
}

/** How a client family is spoken to. One constant per dialect; `dialects.ts` picks one. */
export interface DialectForm {
  readonly name: Dialect;
  /** How an answer is streamed: server-sent events or one JSON object per line. */
  readonly streamForm: 'sse' | 'ndjson';
  /** The content type of a stream that the router begins by itself. */
  readonly streamContentType: string;
  /** The JSON body of an error answer. */
  errorBody(error: ClientError): Buffer;
  /** True for an error body that clients of this dialect understand as it is; absent where they take any. */
  readonly isOwnError?: (body: Buffer) => boolean;
  /** One object of a stream that the router writes itself. */
  streamObject(object: Readonly<Record<string, unknown>>): string;
  /** What follows a stream's last object. */
  readonly streamEnd: string;
  /** Bytes that put the error into a started stream, at a frame boundary, without an end marker. */
  streamError(error: ClientError): Buffer;
  /** Bytes that keep a waiting stream's connection alive and mean nothing to the client; `news` is for people to read, where there is room for it. */
  keepAlive(news: string): Buffer;
}

export interface ClientErrorDetail {
  readonly requestId: string;
  /** In place of the table's sentence. */
  readonly message?: string;
  readonly retryAfterMs?: number | null;
  readonly standing?: QueueStanding | null;
}

/** Fields that every dialect has beside its own in an error; none where nothing is told. */
export function queueFields({ standing }: ClientError): { queue_position?: number; estimated_wait_ms?: number } {
  if (standing === null) return {};
  return { queue_position: standing.position, estimated_wait_ms: Math.round(standing.estimatedWaitMs) };
}

/** The row of the error table for `code`, made fit for one client. */
export function clientError(code: ErrorCode, detail: ClientErrorDetail): ClientError {
  const row = errors[code];
  return {
    code,
    message: detail.message ?? row.message,
    status: row.status,
    type: row.type,
    requestId: detail.requestId,
    retryAfterMs: detail.retryAfterMs ?? null,
    standing: detail.standing ?? null,
  };
}

/** An object of a stream of typed events: clients find the type in the event's name as well as in the object. */
export function typedEvent(object: Readonly<Record<string, unknown>>): string {
  const { type } = object;
  const data = `data: ${JSON.stringify(object)}\n\n`;
  return typeof type === 'string' ? `event: ${type}\n${data}` : data;
}
