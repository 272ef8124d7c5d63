import type { ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';

// An answer that goes on: server-sent events until its client leaves or there is nothing more to come. A client that does not
// read must not fill this worker's memory: beyond a bound its events are dropped, and it is told how many were.

const LARGEST_BACKLOG_BYTES = 1024 * 1024;
/** Below what proxies take for a dead connection. */
const COMMENT_EVERY_MS = 15_000;

export interface EventSink {
  /** One event with JSON in it. */
  send(data: unknown, event?: string): void;
  /** Nothing more will come. */
  end(): void;
}

/** Starts to send events, and returns what stops that; called when the answer is over, whatever ended it. */
export type EventSource = (sink: EventSink) => () => void;

/** Writes the head and whatever `source` sends. */
export function sendEvents(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  clock: Clock,
  source: EventSource,
): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-accel-buffering': 'no',
    ...headers,
  });
  response.flushHeaders();
  let dropped = 0;
  let isOver = false;
  const write = (data: unknown, event: string | null): void => {
    response.write(`${event === null ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
  };
  const sink: EventSink = {
    send: (data, event) => {
      if (isOver) return;
      if (response.writableLength > LARGEST_BACKLOG_BYTES) {
        dropped += 1;
        return;
      }
      if (dropped > 0) write({ events: dropped }, 'dropped');
      dropped = 0;
      write(data, event ?? null);
    },
    end: () => {
      if (isOver) return;
      isOver = true;
      response.end();
    },
  };
  let cancelComment: (() => void) | null = null;
  const comment = (): void => {
    cancelComment = clock.after(COMMENT_EVERY_MS, () => {
      if (response.writableLength === 0) response.write(': still here\n\n');
      comment();
    });
  };
  comment();
  const stop = source(sink);
  response.once('close', () => {
    isOver = true;
    cancelComment?.();
    stop();
  });
}
