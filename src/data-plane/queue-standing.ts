/** Where a waiter stands, or where one that was turned away would have stood. Clients are told both numbers. */
export interface QueueStanding {
  /** 1 is next. */
  readonly position: number;
  readonly estimatedWaitMs: number;
}

/** What a request that may not wait, or no longer, is told of the queue. */
export interface QueueRefusal {
  readonly retryAfterMs: number;
  /** Null where nobody counts. */
  readonly standing: QueueStanding | null;
}
