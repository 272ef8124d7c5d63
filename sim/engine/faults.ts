import { z } from 'zod';

// What can be wrong with the engine, as plain values, so that the same words work in options, on the command line and over
// `POST /sim/faults`. Faults are looked up in the order given and the first that fits a request is the one it suffers; `slow`
// is beside them. What is not imitated: packet loss, a half-open connection, a machine that is gone (nothing refuses the connect).

const faultKinds = [
  'slow',
  'frozen',
  'refuse',
  'reset',
  'stall',
  'overloaded',
  'unavailable',
  'loading',
  'error',
  'unauthorized',
  'missing',
  'redirect',
  'not-http',
  'not-json',
  'broken-chunk',
] as const;

const faultSchema = z.strictObject({
  /**
   * `slow`: computes `factor` times slower and answers `delayMs` later. `frozen`: takes the request, never answers. `refuse`: drops the
   * connection without a byte. `reset`, `stall`, `broken-chunk`: RST, silence or nonsense after `afterBytes` of the body, before any
   * byte without it. `overloaded` 429, `unavailable` 503, `loading` 503 in the engine's words, `error` 500, `unauthorized` 401,
   * `missing` 404, `redirect` 302. `not-http`, `not-json`: nonsense instead of an answer.
   */
  kind: z.enum(faultKinds),
  /** Which requests suffer it. Probes are all that is not inference. Default `inference`. */
  on: z.enum(['all', 'inference', 'probes']).default('inference'),
  /** Heals after so many requests. Default never. */
  times: z.int().min(1).optional(),
  afterBytes: z.int().min(0).optional(),
  /** `Retry-After` of `overloaded` and `unavailable`, in seconds. */
  retryAfterSeconds: z.int().min(0).optional(),
  factor: z.number().min(1).default(1),
  delayMs: z.number().min(0).default(0),
  /** The error's message, or the redirect's target. */
  message: z.string().optional(),
});
const faultListSchema = z.union([
  z.null().transform(() => []),
  z.array(faultSchema),
  faultSchema.transform((one) => [one]),
]);

/** A fault as it is written: only `kind` is needed. */
export type Fault = z.input<typeof faultSchema>;
export type SettledFault = z.output<typeof faultSchema>;

/** Reads one fault, a list of them, or null for none; throws an Error that says what is wrong. */
export function parseFaults(value: unknown): SettledFault[] {
  const list =
    Array.isArray(value) || value === null ? faultListSchema.safeParse(value) : z.array(faultSchema).safeParse([value]);
  if (list.success) return list.data;
  const problems = list.error.issues.map((issue) => `${issue.path.join('.') || 'fault'}: ${issue.message}`);
  throw new Error(`not a fault: ${problems.join('; ')}`);
}

/** The faults in force; counts them down. */
export class FaultBoard {
  #faults: { readonly fault: SettledFault; left: number }[] = [];

  constructor(faults: readonly Fault[]) {
    this.set(faults);
  }

  /** Replaces all faults. */
  set(faults: unknown): void {
    this.#faults = parseFaults(faults).map((fault) => ({ fault, left: fault.times ?? Infinity }));
  }

  /** Those still in force. */
  list(): readonly SettledFault[] {
    return this.#faults.map(({ fault, left }) => (left === Infinity ? fault : { ...fault, times: left }));
  }

  /** What this request suffers, counted; null for nothing. */
  take(isInference: boolean): SettledFault | null {
    return this.#first(isInference, (fault) => fault.kind !== 'slow');
  }

  /** Ms by which this request's answer is late, counted. */
  takeDelayMs(isInference: boolean): number {
    return this.#first(isInference, (fault) => fault.kind === 'slow')?.delayMs ?? 0;
  }

  /** How many times slower the engine computes at present. */
  slowFactor(): number {
    return Math.max(1, ...this.#faults.map(({ fault }) => fault.factor));
  }

  #first(isInference: boolean, fits: (fault: SettledFault) => boolean): SettledFault | null {
    const found = this.#faults.find(
      ({ fault }) => fits(fault) && (fault.on === 'all' || (fault.on === 'inference') === isInference),
    );
    if (!found) return null;
    found.left -= 1;
    if (found.left <= 0) this.#faults = this.#faults.filter((other) => other !== found);
    return found.fault;
  }
}
