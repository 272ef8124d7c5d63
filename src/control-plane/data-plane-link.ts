import type { FleetSnapshot } from '../fleet/snapshot.ts';
import type { ToControlPlane, ToDataPlane } from '../fleet/messages.ts';
import type { Gauges, NodeTelemetry } from '../fleet/telemetry.ts';
import type { Overrides } from '../fleet/settings-report.ts';
import type { Clock } from '../lib/clock.ts';

// The other plane, seen from here: messages out, and the three things it answers. Every wait is bounded, because that plane
// owes this one nothing: it may be busy, draining or gone.

const APPLIED_WITHIN_MS = 2000;
const GAUGES_WITHIN_MS = 1000;
const JUDGED_WITHIN_MS = 5000;

const NO_ANSWER = 'the settings could not be looked at in time; try again in a moment';

/** The part of a `MessagePort` that is used. */
export interface Port {
  postMessage(message: ToDataPlane): void;
  on(event: 'message', listener: (message: ToControlPlane) => void): unknown;
  close(): void;
}

interface Waiting<T> {
  readonly version: number;
  readonly resolve: (value: T) => void;
}

export class DataPlaneLink {
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #appliedWaiters = new Set<Waiting<boolean>>();
  readonly #questions = new Map<number, (gauges: Gauges | null) => void>();
  readonly #judged = new Map<number, (problems: readonly string[]) => void>();
  #applied = 0;
  #question = 0;

  constructor(port: Port, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
  }

  send(message: ToDataPlane): void {
    this.#port.postMessage(message);
  }

  sendSnapshot(snapshot: FleetSnapshot): void {
    this.send({ kind: 'snapshot', snapshot });
  }

  sendTelemetry(nodes: readonly NodeTelemetry[]): void {
    this.send({ kind: 'telemetry', nodes });
  }

  /** Resolves true once the data plane places by that version, false if it has not said so in time (2 s). */
  whenApplied(version: number): Promise<boolean> {
    if (this.#applied >= version) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiting: Waiting<boolean> = {
        version,
        resolve: (value) => {
          cancel();
          this.#appliedWaiters.delete(waiting);
          resolve(value);
        },
      };
      const cancel = this.#clock.after(APPLIED_WITHIN_MS, () => waiting.resolve(false));
      this.#appliedWaiters.add(waiting);
    });
  }

  /** What the data plane counts now, or null if it does not answer in time (1 s). */
  askGauges(): Promise<Gauges | null> {
    this.#question += 1;
    const question = this.#question;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(GAUGES_WITHIN_MS, () => this.#answer(question, null));
      this.#questions.set(question, (gauges) => {
        cancel();
        resolve(gauges);
      });
      this.send({ kind: 'gauges?', question });
    });
  }

  /** Has all that is set through the admin API judged, and taken if `apply`; resolves with what is wrong (in 5 s at most). */
  askOverrides(overrides: Overrides, apply: boolean): Promise<readonly string[]> {
    this.#question += 1;
    const question = this.#question;
    return new Promise((resolve) => {
      const answer = (problems: readonly string[]): void => {
        cancel();
        this.#judged.delete(question);
        resolve(problems);
      };
      const cancel = this.#clock.after(JUDGED_WITHIN_MS, () => answer([NO_ANSWER]));
      this.#judged.set(question, answer);
      this.send({ kind: 'overrides?', question, overrides, apply });
    });
  }

  /** Takes the three answers in; true if `message` was one. */
  take(message: ToControlPlane): boolean {
    if (message.kind === 'applied') {
      this.#applied = Math.max(this.#applied, message.version);
      for (const waiting of this.#appliedWaiters) if (waiting.version <= this.#applied) waiting.resolve(true);
      return true;
    }
    if (message.kind === 'overrides-judged') {
      this.#judged.get(message.question)?.(message.problems);
      return true;
    }
    if (message.kind !== 'gauges') return false;
    this.#answer(message.question, message.gauges);
    return true;
  }

  #answer(question: number, gauges: Gauges | null): void {
    const waiting = this.#questions.get(question);
    this.#questions.delete(question);
    waiting?.(gauges);
  }
}
