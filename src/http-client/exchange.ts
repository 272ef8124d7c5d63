import type { NodeTls } from '../fleet/settings.ts';

// One request to one node and its answer, as plain callbacks: no stream object and no promise per chunk.

export interface Target {
  /** Names the pool; one per node (a node's id). */
  readonly pool: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** A Unix socket that is dialled in place of the origin's host and port. */
  readonly socketPath?: string;
  readonly tls: NodeTls | null;
  readonly connectMs: number;
}

/** Takes a body piece by piece. After the exchange has ended, calls do nothing. */
export interface BodySink {
  /** Empty pieces are passed over. */
  write(piece: Buffer): void;
  /** That was all of it. */
  end(): void;
}

/** A body that comes while it is sent, at the pace of the node. It is sent once: no part of it is kept to be sent again. */
export interface PacedBody {
  /** How long it is; null where that is not known yet. An exchange whose body turns out otherwise fails, and its node sees it cut off. */
  readonly bytes: number | null;
  /** Called once at most, when the node is connected: gives the body to `sink` from here on. */
  pour(sink: BodySink): void;
  /** The node takes no more for now, or for good; may be called within `pour` and within `write`. */
  pause(): void;
  /** The node takes again. */
  resume(): void;
}

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** Path and query, from `/`. */
  readonly path: string;
  /** Name, value, name, value, … */
  readonly headers: readonly string[];
  /** Where it is whole it can be sent again; null for none. */
  readonly body: Buffer | PacedBody | null;
}

/** Response headers in lower case; repeated ones are joined or listed as received. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export type ExchangeFailure = 'connect-failed' | 'reset' | 'garbage';

/** Why an exchange failed. The message may name addresses: it is for logs, never for clients. */
export class ExchangeError extends Error {
  readonly failure: ExchangeFailure;

  constructor(failure: ExchangeFailure, cause: Error) {
    super(cause.message, { cause });
    this.name = 'ExchangeError';
    this.failure = failure;
  }
}

/** Receives what the node answers. After `onEnd`, `onError` or an abort nothing more is called. */
export interface Receiver {
  onHead(status: number, headers: ResponseHeaders): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: ExchangeError): void;
}

export interface Exchange {
  /** Stops reading from the node's socket; what is already read may still be delivered. */
  pause(): void;
  resume(): void;
  /** Destroys the socket now, so that the engine sees its client leave. Does nothing when the exchange is over. */
  abort(): void;
}
