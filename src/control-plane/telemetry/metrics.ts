import Counter from 'prom-client/lib/counter.js';
import Histogram from 'prom-client/lib/histogram.js';
import Registry from 'prom-client/lib/registry.js';
import type { Settlement } from '../../fleet/settlement.ts';

// What is counted from settlements. A model's name becomes a label only where the fleet offered that model: a client that
// tries out names must not fill the memory of whoever stores the metrics.

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

export interface Totals {
  requests: number;
  readonly byOutcome: Record<string, number>;
  promptTokens: number;
  completionTokens: number;
}

export class Metrics {
  readonly registry = new Registry();
  /** Since this control plane started. */
  readonly totals: Totals = { requests: 0, byOutcome: {}, promptTokens: 0, completionTokens: 0 };
  readonly #requests = this.#counter('weir_requests_total', 'Requests by how they ended.', ['model', 'outcome']);
  readonly #refusals = this.#counter('weir_refusals_total', 'Errors told to clients, by code.', ['code']);
  readonly #tokens = this.#counter('weir_tokens_total', 'Tokens by kind: prompt, completion, cached.', [
    'model',
    'kind',
  ]);
  readonly #retries = this.#counter('weir_retries_total', 'Attempts after the first, by how the one before ended.', [
    'end',
  ]);
  readonly #attempts = this.#counter('weir_attempts_total', 'Attempts by node and how they ended.', ['node', 'end']);
  readonly #historyDropped = this.#counter('weir_history_dropped_total', 'History rows that could not be written.', []);
  readonly #wait = this.#histogram('weir_wait_seconds', 'Time in the waiting room of requests that waited.');
  readonly #firstByte = this.#histogram('weir_first_byte_seconds', 'From arrival to the first byte of the answer.');
  readonly #duration = this.#histogram('weir_request_duration_seconds', 'From arrival to the end of the answer.');

  settle(settlement: Settlement): void {
    const { outcome, code, waitMs, firstByteMs, durationMs, usage, attempts } = settlement;
    const model = settlement.modelOffered && settlement.model !== null ? settlement.model : 'unknown';
    this.#requests.inc({ model, outcome });
    if (code !== null) this.#refusals.inc({ code });
    if (waitMs !== null) this.#wait.observe({ model }, waitMs / 1000);
    if (firstByteMs !== null) this.#firstByte.observe({ model }, firstByteMs / 1000);
    this.#duration.observe({ model }, durationMs / 1000);
    for (const [position, { nodeName, end }] of attempts.entries()) {
      this.#attempts.inc({ node: nodeName, end });
      if (position < attempts.length - 1) this.#retries.inc({ end });
    }
    this.#countTokens(model, 'prompt', usage?.promptTokens);
    this.#countTokens(model, 'completion', usage?.completionTokens);
    this.#countTokens(model, 'cached', usage?.cachedTokens);
    this.totals.requests += 1;
    this.totals.byOutcome[outcome] = (this.totals.byOutcome[outcome] ?? 0) + 1;
    this.totals.promptTokens += usage?.promptTokens ?? 0;
    this.totals.completionTokens += usage?.completionTokens ?? 0;
  }

  dropHistory(rows: number): void {
    this.#historyDropped.inc(rows);
  }

  #countTokens(model: string, kind: string, count: number | null | undefined): void {
    if (typeof count === 'number' && count > 0) this.#tokens.inc({ model, kind }, count);
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string): Histogram<'model'> {
    return new Histogram({ name, help, labelNames: ['model'], buckets: SECONDS, registers: [this.registry] });
  }
}
