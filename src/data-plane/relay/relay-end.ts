import type { AttemptEnd, Usage } from '../../fleet/settlement.ts';
import type { ResponseHeaders } from '../../http-client/exchange.ts';

/** A node's answer other than 2xx, to be judged; nothing of it was sent. */
export interface Refusal {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
}

export interface RelayEnd {
  /** `refused`: judge `refusal`. */
  readonly end: AttemptEnd | 'refused';
  readonly status: number | null;
  readonly refusal: Refusal | null;
  /** The error the node reported within a 2xx answer; not scrubbed of addresses. */
  readonly nodeMessage: string | null;
  readonly usage: Usage | null;
  /** True if the answer is a stream of events or lines, into which an error can be written. */
  readonly isStream: boolean;
}
