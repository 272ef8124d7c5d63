import { Compute, type Pace, type Sequence } from './compute.ts';
import type { FaultBoard } from './faults.ts';
import type { EngineSettings } from './options.ts';
import { Residency } from './residency.ts';

// The engine behind its faces: models in memory, slots, and what was counted. It knows nothing of HTTP.

export interface MachineStats {
  /** Requests that hold a slot. */
  readonly running: number;
  /** Requests inside that wait for a slot or for their model. */
  readonly waiting: number;
  readonly served: number;
  /** Requests whose client left before their answer was complete. */
  readonly cancelled: number;
  readonly mostRunning: number;
  readonly mostWaiting: number;
  readonly tokens: number;
  readonly modelLoads: number;
}

/** What a submission is told when the engine's own queue is full. */
export class EngineFull extends Error {}

export class Machine {
  readonly settings: EngineSettings;
  readonly residency: Residency;
  readonly #pace: Pace;
  readonly #computes = new Map<string, Compute>();
  #loading = 0;
  #served = 0;
  #cancelled = 0;
  #mostRunning = 0;
  #mostWaiting = 0;
  #tokens = 0;

  constructor(settings: EngineSettings, faults: FaultBoard) {
    this.settings = settings;
    const { slots, promptTokensPerSecond, stepMs, stepPerSequenceMs, loadMs, maxResident, clock } = settings;
    this.#pace = { slots, promptTokensPerSecond, stepMs, stepPerSequenceMs, slowFactor: () => faults.slowFactor() };
    const isBusy = (model: string): boolean => this.#busy(model);
    this.residency = new Residency({ loadMs, maxResident, isBusy }, clock);
    if (!settings.cold) for (const model of settings.models.slice(0, maxResident)) this.residency.place(model);
    else if (settings.profile.cold !== 'holds') {
      for (const model of settings.models) this.residency.ensure(model, () => undefined);
    }
  }

  /** False while models are being loaded that the engine loads before it serves at all. */
  get isUp(): boolean {
    const { profile, models } = this.settings;
    return profile.cold === 'holds' || models.every((model) => this.residency.state(model) === 'resident');
  }

  get running(): number {
    return sum(this.#computes, (compute) => compute.running);
  }

  get waiting(): number {
    return this.#loading + sum(this.#computes, (compute) => compute.waiting);
  }

  runningOf(model: string): number {
    return this.#computeOf(model).running;
  }

  /**
   * Computes a sequence once its model is in memory and a slot is free. The returned function cancels it, counted.
   * Throws EngineFull where no more may wait.
   */
  run(model: string, sequence: Sequence): () => void {
    const compute = this.#computeOf(model);
    const mustWait = this.residency.state(model) !== 'resident' || compute.running >= this.settings.slots;
    if (mustWait && this.waiting >= this.settings.maxWaiting) throw new EngineFull();
    let phase: 'loading' | 'computing' | 'over' = 'loading';
    let cancelCompute = nothing;
    this.#loading += 1;
    const cancelLoad = this.residency.ensure(model, () => {
      phase = 'computing';
      this.#loading -= 1;
      cancelCompute = compute.submit({
        promptTokens: sequence.promptTokens,
        outputTokens: sequence.outputTokens,
        onStart: () => {
          this.#mostRunning = Math.max(this.#mostRunning, this.running);
          sequence.onStart();
        },
        onToken: (index) => {
          this.#tokens += 1;
          sequence.onToken(index);
        },
        onEnd: () => {
          phase = 'over';
          this.#served += 1;
          sequence.onEnd();
        },
      });
    });
    this.#mostWaiting = Math.max(this.#mostWaiting, this.waiting);
    return () => {
      if (phase === 'over') return;
      this.#cancelled += 1;
      if (phase === 'loading') {
        this.#loading -= 1;
        cancelLoad();
      } else cancelCompute();
      phase = 'over';
    };
  }

  stop(): void {
    for (const compute of this.#computes.values()) compute.stop();
  }

  stats(): MachineStats {
    return {
      running: this.running,
      waiting: this.waiting,
      served: this.#served,
      cancelled: this.#cancelled,
      mostRunning: this.#mostRunning,
      mostWaiting: this.#mostWaiting,
      tokens: this.#tokens,
      modelLoads: this.residency.loads,
    };
  }

  #busy(model: string): boolean {
    const compute = this.#computes.get(this.#keyOf(model));
    return compute !== undefined && compute.running + compute.waiting > 0;
  }

  #computeOf(model: string): Compute {
    const key = this.#keyOf(model);
    let compute = this.#computes.get(key);
    if (!compute) {
      compute = new Compute(this.#pace, this.settings.clock, () => this.residency.settle());
      this.#computes.set(key, compute);
    }
    return compute;
  }

  #keyOf(model: string): string {
    return this.settings.profile.slotsPerModel ? model : '';
  }
}

function sum(computes: ReadonlyMap<string, Compute>, count: (compute: Compute) => number): number {
  let total = 0;
  for (const compute of computes.values()) total += count(compute);
  return total;
}

function nothing(): void {
  // Nothing to cancel yet.
}
