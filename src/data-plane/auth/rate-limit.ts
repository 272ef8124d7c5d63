// A token bucket per key: a minute's allowance may come at once, then it refills evenly. Kept in the data plane's memory; a
// restart refills it. Buckets of keys that rest full are dropped, so the map is bounded by the keys in use.

interface Bucket {
  tokens: number;
  filledAt: number;
}

const MINUTE_MS = 60_000;
const SWEEP_ABOVE = 1024;

export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes one request of a key's `perMinute`; returns 0, or ms until one is available again. */
  take(keyId: string, perMinute: number, now: number): number {
    let bucket = this.#buckets.get(keyId);
    if (!bucket) {
      if (this.#buckets.size >= SWEEP_ABOVE) this.#sweep(now);
      bucket = { tokens: perMinute, filledAt: now };
      this.#buckets.set(keyId, bucket);
    }
    const perMs = perMinute / MINUTE_MS;
    bucket.tokens = Math.min(perMinute, bucket.tokens + (now - bucket.filledAt) * perMs);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perMs;
    bucket.tokens -= 1;
    return 0;
  }

  #sweep(now: number): void {
    for (const [keyId, bucket] of this.#buckets) {
      if (now - bucket.filledAt > MINUTE_MS) this.#buckets.delete(keyId);
    }
  }
}
