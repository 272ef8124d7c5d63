import { Residency } from '../../engine/residency.ts';
import type { Timeline } from '../timeline.ts';
import type { EngineModel } from './engine-model.ts';
import type { Job } from './job.ts';

// Jobs whose model may have to be loaded first. As in Ollama's scheduler they come in the order of arrival: one that needs
// room which a busy model still holds keeps back those behind it, or a popular model would never make room for another.

export class Doorway {
  readonly #residency: Residency;
  readonly #enter: (job: Job) => void;
  readonly #waiting: Job[] = [];
  /** Jobs whose model is being loaded. */
  readonly #loading = new Set<Job>();
  #stuck: { readonly job: Job; readonly cancel: () => void } | null = null;

  /** Calls `enter` for each job whose model is in memory. `isBusy`: whether a model computes or is about to. */
  constructor(model: EngineModel, timeline: Timeline, isBusy: (model: string) => boolean, enter: (job: Job) => void) {
    this.#residency = new Residency({ loadMs: model.loadMs, maxResident: model.maxResident, isBusy }, timeline);
    this.#enter = enter;
  }

  get size(): number {
    return this.#waiting.length + this.#loading.size;
  }

  get loads(): number {
    return this.#residency.loads;
  }

  place(models: readonly string[]): void {
    for (const model of models) this.#residency.place(model);
  }

  come(job: Job): void {
    this.#waiting.push(job);
    this.#proceed();
  }

  /** False where the job is not here. */
  leave(job: Job): boolean {
    const at = this.#waiting.indexOf(job);
    if (at >= 0) this.#waiting.splice(at, 1);
    else if (!this.#loading.delete(job)) return false;
    if (this.#stuck?.job === job) {
      this.#stuck.cancel();
      this.#stuck = null;
      this.#proceed();
    }
    return true;
  }

  /** A model may have stopped computing. */
  settle(): void {
    if (!this.#stuck) return;
    this.#residency.settle();
    this.#proceed();
  }

  /** Everybody leaves. */
  clear(): Job[] {
    const jobs = [...this.#loading, ...this.#waiting];
    this.#loading.clear();
    this.#waiting.length = 0;
    this.#stuck = null;
    return jobs;
  }

  #proceed(): void {
    if (this.#stuck && this.#residency.state(this.#stuck.job.work.model) !== 'absent') this.#stuck = null;
    while (!this.#stuck) {
      const job = this.#waiting.shift();
      if (!job) return;
      this.#loading.add(job);
      const cancel = this.#residency.ensure(job.work.model, () => {
        if (this.#loading.delete(job)) this.#enter(job);
      });
      if (this.#loading.has(job) && this.#residency.state(job.work.model) === 'absent') this.#stuck = { job, cancel };
    }
  }
}
