import type { ErrorCode } from '../../fleet/errors.ts';
import { prefixIn } from '../../fleet/offered-models.ts';
import { type AttemptEnd, type Outcome, outcomes, type Settlement } from '../../fleet/settlement.ts';
import { exposed, exposedHistograms, Histogram } from './exposition.ts';

// What is counted from settlements. A model's name becomes a label only where the fleet offered that model: a client that
// tries out names must not fill the memory of whoever stores the metrics. Counting is plain additions on what a request's model
// holds ready; text is made of it when somebody asks.

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const tokenKinds = ['prompt', 'completion', 'cached'] as const;

export interface Totals {
  requests: number;
  readonly byOutcome: Record<string, number>;
  promptTokens: number;
  completionTokens: number;
}

class ModelCounts {
  readonly requests: Record<Outcome, number> = {
    served: 0,
    rejected: 0,
    refused: 0,
    'timed-out': 0,
    failed: 0,
    interrupted: 0,
    gone: 0,
  };
  readonly tokens = { prompt: 0, completion: 0, cached: 0 };
  readonly wait = new Histogram(SECONDS);
  readonly firstByte = new Histogram(SECONDS);
  readonly duration = new Histogram(SECONDS);
}

export class Metrics {
  /** By what stands in the label: `unknown` for all that no node offered. */
  readonly #models = new Map<string, ModelCounts>();
  readonly #errors = new Map<ErrorCode, number>();
  readonly #retries = new Map<AttemptEnd, number>();
  readonly #attempts = new Map<string, Map<AttemptEnd, number>>();
  #historyDropped = 0;

  settle({ model, modelOffered, outcome, code, waitMs, firstByteMs, durationMs, usage, attempts }: Settlement): void {
    const counts = this.#countsOf(modelOffered && model !== null ? model : labelOf(model, attempts.length > 0));
    counts.requests[outcome] += 1;
    if (code !== null) count(this.#errors, code);
    if (waitMs !== null) counts.wait.observe(waitMs / 1000);
    if (firstByteMs !== null) counts.firstByte.observe(firstByteMs / 1000);
    counts.duration.observe(durationMs / 1000);
    let left = attempts.length;
    for (const { nodeName, end } of attempts) {
      this.#countAttempt(nodeName, end);
      left -= 1;
      if (left > 0) count(this.#retries, end);
    }
    if (usage) {
      counts.tokens.prompt += positive(usage.promptTokens);
      counts.tokens.completion += positive(usage.completionTokens);
      counts.tokens.cached += positive(usage.cachedTokens);
    }
  }

  dropHistory(rows: number): void {
    this.#historyDropped += rows;
  }

  /** Since this control plane started. */
  get totals(): Totals {
    const totals: Totals = { requests: 0, byOutcome: {}, promptTokens: 0, completionTokens: 0 };
    for (const { requests, tokens } of this.#models.values()) {
      for (const outcome of outcomes) {
        if (requests[outcome] === 0) continue;
        totals.requests += requests[outcome];
        totals.byOutcome[outcome] = (totals.byOutcome[outcome] ?? 0) + requests[outcome];
      }
      totals.promptTokens += tokens.prompt;
      totals.completionTokens += tokens.completion;
    }
    return totals;
  }

  /** Prometheus' text for all of it. */
  page(): string {
    const models = [...this.#models];
    const requests = models.flatMap(([model, counts]) =>
      outcomes.map((outcome) => [counts.requests[outcome], { model, outcome }] as const),
    );
    const tokens = models.flatMap(([model, counts]) =>
      tokenKinds.map((kind) => [counts.tokens[kind], { model, kind }] as const),
    );
    const attempts = [...this.#attempts].flatMap(([node, ends]) =>
      Array.from(ends, ([end, attempted]) => [attempted, { node, end }] as const),
    );
    const histograms = (name: string, help: string, of: (counts: ModelCounts) => Histogram): string =>
      exposedHistograms(
        name,
        help,
        models.map(([model, counts]) => [of(counts), { model }]),
      );
    return [
      exposed(
        'weir_requests_total',
        'Requests by how they ended.',
        requests.filter(([counted]) => counted > 0),
      ),
      exposed(
        'weir_refusals_total',
        'Errors told to clients, by code.',
        Array.from(this.#errors, ([code, told]) => [told, { code }]),
      ),
      exposed(
        'weir_tokens_total',
        'Tokens by kind: prompt, completion, cached.',
        tokens.filter(([counted]) => counted > 0),
      ),
      exposed(
        'weir_retries_total',
        'Attempts after the first, by how the one before ended.',
        Array.from(this.#retries, ([end, retried]) => [retried, { end }]),
      ),
      exposed('weir_attempts_total', 'Attempts by node and how they ended.', attempts),
      exposed('weir_history_dropped_total', 'History rows that could not be written.', [[this.#historyDropped]]),
      histograms('weir_wait_seconds', 'Time in the waiting room of requests that waited.', ({ wait }) => wait),
      histograms(
        'weir_first_byte_seconds',
        'From arrival to the first byte of the answer.',
        ({ firstByte }) => firstByte,
      ),
      histograms('weir_request_duration_seconds', 'From arrival to the end of the answer.', ({ duration }) => duration),
    ].join('\n');
  }

  #countsOf(model: string): ModelCounts {
    let counts = this.#models.get(model);
    if (!counts) {
      counts = new ModelCounts();
      this.#models.set(model, counts);
    }
    return counts;
  }

  #countAttempt(node: string, end: AttemptEnd): void {
    let ends = this.#attempts.get(node);
    if (!ends) {
      ends = new Map();
      this.#attempts.set(node, ends);
    }
    count(ends, end);
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Of a model with no name of its own in the fleet: of a provider's all together, so that clients cannot make labels. */
function labelOf(model: string | null, wasTried: boolean): string {
  const prefix = model !== null && wasTried ? prefixIn(model) : null;
  return prefix === null ? 'unknown' : `${prefix}*`;
}

/** Usage is what an engine claims; a counter may only grow. */
function positive(tokens: number | null): number {
  return tokens !== null && tokens > 0 ? tokens : 0;
}
