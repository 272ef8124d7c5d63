import type { Timeline } from '../timeline.ts';
import { BlockMemory } from './block-memory.ts';
import { Doorway } from './doorway.ts';
import { iterationsMs, iterationsWithin, type EngineModel } from './engine-model.ts';
import { newJob, type Job, type JobEvents, type Work } from './job.ts';
import { decodingOnly, planLeap, type Leap } from './leap.ts';
import type { Memory } from './memory.ts';
import { SlotMemory } from './slot-memory.ts';

// One modelled engine under the virtual clock: a FIFO queue, slots, memory, and a loop of iterations, each computing one
// token of every decoding sequence and a piece of the oldest prompt. Like iterations are taken in one leap whose length is
// summed in closed form, so a run costs by requests and not by tokens; a leap ends early where somebody may join or leave,
// at an iteration's boundary, as in a real engine. A full memory sends the newest sequence back to the queue to be computed
// again.
//
// Not modelled: the time of sampling and of tokenizing, speculative decoding, transfers between nodes, and engines that
// process several whole prompts at once.

export class Engine {
  readonly model: EngineModel;
  readonly #timeline: Timeline;
  readonly #memory: Memory;
  #doorway: Doorway;
  #waiting: Job[] = [];
  #prompts: Job[] = [];
  #decoding: Job[] = [];
  #leap: Leap | null = null;
  #factor = 1;
  #frozenMs: number | null = null;
  #isDown = false;
  #preemptions = 0;
  #loads = 0;

  constructor(model: EngineModel, timeline: Timeline) {
    this.model = model;
    this.#timeline = timeline;
    this.#memory =
      model.prefixCache === 'slots'
        ? new SlotMemory(model.kvTokens, model.slots)
        : new BlockMemory(model.kvTokens, model.prefixCache === 'blocks');
    this.#doorway = this.#newDoorway(model.cold ? [] : model.models.slice(0, model.maxResident));
  }

  get preemptions(): number {
    return this.#preemptions;
  }

  get loads(): number {
    return this.#loads + this.#doorway.loads;
  }

  get isAnswering(): boolean {
    return !this.#isDown && this.#frozenMs === null;
  }

  /** Jobs computed or kept in memory. */
  get running(): number {
    return this.#prompts.length + this.#decoding.length;
  }

  /** Jobs in its queue, those that wait for their model included. */
  get waiting(): number {
    return this.#waiting.length + this.#doorway.size;
  }

  /** Prompt tokens of the jobs in its queue. */
  get waitingTokens(): number {
    return this.#waiting.reduce((sum, { work }) => sum + work.promptTokens, 0);
  }

  get memoryUse(): number {
    return this.#memory.use();
  }

  /** Tokens generated per second at its present batch. */
  get tokensPerSecond(): number {
    const decoding = this.#decoding.length;
    if (decoding === 0) return 0;
    return (1000 * decoding) / (this.#factor * iterationsMs(this.model, decodingOnly(this.#decoding), 1));
  }

  /** Takes a job; null where its queue is full. To a crashed engine nothing may be submitted. */
  submit(work: Work, events: JobEvents): Job | null {
    if (this.waiting >= this.model.maxWaiting && this.running >= this.model.slots) return null;
    const job = newJob(work, events);
    this.#doorway.come(job);
    return job;
  }

  /** Nobody wants the job any more; a running one leaves at the end of the iteration. */
  abort(job: Job): void {
    if (job.isGone) return;
    job.isGone = true;
    if (this.#doorway.leave(job)) return;
    const at = this.#waiting.indexOf(job);
    if (at < 0) return this.#hasten();
    this.#waiting.splice(at, 1);
    this.#doorway.settle();
  }

  /** Everything takes `factor` times as long from the next iteration on. */
  slow(factor: number): void {
    this.#factor = factor;
    this.#hasten();
  }

  /** Stops computing and answering, connections stay open. */
  freeze(): void {
    if (this.#frozenMs !== null) return;
    this.#frozenMs = this.#timeline.now();
    this.#leap?.cancel?.();
  }

  thaw(): void {
    if (this.#frozenMs === null) return;
    const leap = this.#leap;
    const pausedMs = this.#timeline.now() - this.#frozenMs;
    this.#frozenMs = null;
    if (!leap) return this.#next();
    leap.startedAt += pausedMs;
    this.#arm(leap);
  }

  /** Loses everything; each job is told. */
  crash(): void {
    this.#isDown = true;
    this.#frozenMs = null;
    this.#leap?.cancel?.();
    this.#leap = null;
    const jobs = [...this.#doorway.clear(), ...this.#waiting, ...this.#prompts, ...this.#decoding];
    this.#waiting = [];
    this.#prompts = [];
    this.#decoding = [];
    this.#memory.clear();
    for (const job of jobs) {
      if (job.isGone) continue;
      job.isGone = true;
      job.events.failed(job.emitted > 0 ? 'broken' : 'reset');
    }
  }

  /** Comes back after a crash, with nothing in memory. */
  restart(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#loads += this.#doorway.loads;
    this.#doorway = this.#newDoorway([]);
  }

  #newDoorway(resident: readonly string[]): Doorway {
    const isBusy = (model: string): boolean =>
      [this.#waiting, this.#prompts, this.#decoding].some((jobs) => jobs.some(({ work }) => work.model === model));
    const doorway = new Doorway(this.model, this.#timeline, isBusy, (job) => {
      this.#waiting.push(job);
      if (this.running < this.model.slots) this.#hasten();
      this.#next();
    });
    doorway.place(resident);
    return doorway;
  }

  // The loop

  #next(): void {
    if (this.#leap || this.#isDown || this.#frozenMs !== null) return;
    this.#admit();
    this.#makeRoom();
    const plan = planLeap(this.model, this.#prompts, this.#decoding, this.#memory.room(), this.#factor);
    if (!plan) return;
    this.#leap = { ...plan, factor: this.#factor, startedAt: this.#timeline.now(), cancel: null };
    this.#arm(this.#leap);
  }

  #arm(leap: Leap): void {
    const endsAt = leap.startedAt + leap.factor * iterationsMs(this.model, leap.iteration, leap.count);
    leap.cancel?.();
    leap.cancel = this.#timeline.at(endsAt, () => {
      this.#leap = null;
      this.#apply(leap);
      this.#next();
    });
  }

  /** Ends a leap at the next boundary of an iteration. */
  #hasten(): void {
    const leap = this.#leap;
    if (!leap || leap.count === 1 || this.#frozenMs !== null) return;
    const elapsedMs = (this.#timeline.now() - leap.startedAt) / leap.factor;
    const count = Math.min(leap.count, iterationsWithin(this.model, leap.iteration, leap.count, elapsedMs) + 1);
    if (count === leap.count) return;
    leap.count = count;
    this.#arm(leap);
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.running < this.model.slots) {
      const [job] = this.#waiting;
      if (!job) return;
      const cached = this.#memory.enter(job);
      if (cached === null) return;
      this.#waiting.shift();
      job.context = cached;
      job.promptLeft = job.work.promptTokens + job.emitted - cached;
      this.#prompts.push(job);
      if (job.hasStarted) continue;
      job.hasStarted = true;
      job.events.started(cached);
    }
  }

  #makeRoom(): void {
    while (this.#decoding.length > 1 && this.#memory.room() < this.#decoding.length) {
      const newest = this.#decoding.pop();
      if (!newest) return;
      this.#memory.leave(newest, false);
      this.#waiting.unshift(newest);
      this.#preemptions += 1;
    }
  }

  #apply({ count, decodes, parts }: Leap): void {
    const decoding = decodes ? this.#decoding : [];
    for (const { job, tokens } of parts) {
      job.promptLeft -= count * tokens;
      job.context += count * tokens;
    }
    for (const job of decoding) this.#emit(job, count);
    for (const { job } of parts) {
      if (job.promptLeft > 0 || job.isGone) continue;
      this.#memory.computed(job);
      this.#emit(job, 1);
      this.#decoding.push(job);
    }
    this.#prompts = this.#prompts.filter((job) => this.#stays(job) && job.promptLeft > 0);
    this.#decoding = this.#decoding.filter((job) => this.#stays(job));
    this.#doorway.settle();
  }

  #emit(job: Job, count: number): void {
    job.emitted += count;
    job.context += count;
    this.#memory.grow(job, count);
    if (!job.isGone) job.events.tokens(count);
  }

  /** False for a job that is over; its room is free then. */
  #stays(job: Job): boolean {
    const isWhole = !job.isGone && job.emitted >= job.work.outputTokens;
    if (!isWhole && !job.isGone) return true;
    job.isGone = true;
    this.#memory.leave(job, isWhole);
    if (isWhole) job.events.ended();
    return false;
  }
}
