import { promptCostMs, tokenCostMs } from './engine/capacity.ts';
import { Fairness } from './figures/fairness.ts';
import type { FleetModel } from './fleet-model.ts';
import { newNode, planTroubles, readNode, tellsCached, type Attempt, type WorldNode } from './world-node.ts';
import { newRecord, type RequestRecord } from './record.ts';
import { stream } from './random.ts';
import type { Floor, Heard, Refusal, Router, SeenNode, SeenRequest } from './seen.ts';
import { Timeline } from './timeline.ts';
import type { Schedule } from './workload/schedule.ts';

// The world around a router: clients that arrive by schedule and may give up, nodes behind a network, their troubles, and
// the books. The router is told what HTTP would tell it and nothing else. Answers take no time on the way back: what is
// left out of a round trip is part of `networkMs` on the way there.

/** How long a probe may take. */
const PROBE_TIMEOUT_MS = 3_000;
/** A run that has not ended so long after its last arrival is stuck or hopeless. */
const MOST_AFTER_MS = 4 * 3_600_000;

export interface WorldOptions {
  readonly fleet: FleetModel;
  readonly schedule: Schedule;
  readonly seed: number;
  /** Clients leave when the first token has not come by then; Infinity: never. */
  readonly patienceMs: number;
  readonly callers: number;
  /** How often a refused client comes again. */
  readonly comebacks: number;
}

export class World implements Floor {
  readonly #timeline = new Timeline();
  readonly #fleet: FleetModel;
  readonly #schedule: Schedule;
  readonly #patienceMs: number;
  readonly #comebacks: number;
  readonly #clientRandom: () => number;
  readonly #nodes: readonly WorldNode[];
  readonly #attempts = new Map<number, Attempt>();
  /** Who was told to come back, by caller and model. */
  readonly #turnedAway = new Map<string, RequestRecord[]>();
  #lastAttempt = 0;
  #open = 0;
  #router: Router | null = null;
  readonly nodes: readonly SeenNode[];
  readonly records: readonly RequestRecord[];
  readonly fairness: Fairness;
  readonly random: () => number;

  constructor({ fleet, schedule, seed, patienceMs, callers, comebacks }: WorldOptions) {
    this.#fleet = fleet;
    this.#schedule = schedule;
    this.#patienceMs = patienceMs;
    this.#comebacks = comebacks;
    this.#clientRandom = stream(seed, 'clients');
    this.random = stream(seed, 'router');
    this.fairness = new Fairness(callers);
    this.#nodes = fleet.nodes.map((node, index) => newNode(node, index, this.#timeline));
    this.nodes = this.#nodes.map(({ seen }) => seen);
    this.records = schedule.requests.map(newRecord);
  }

  /** Runs the whole schedule against a router and until every request is over. Throws an Error if one never is. */
  run(makeRouter: (floor: Floor) => Router): Router {
    const router = makeRouter(this);
    this.#router = router;
    for (const record of this.records) this.#timeline.at(record.request.seen.arrivedAt, () => this.#arrive(record));
    planTroubles(this.#timeline, this.#fleet.troubles, this.#nodes, this.#schedule.durationMs);
    this.#open = this.records.length;
    const hopelessAt = this.#schedule.durationMs + MOST_AFTER_MS;
    while (this.#open > 0 && this.#timeline.now() < hopelessAt) this.#timeline.run(this.#timeline.now() + 1_000);
    if (this.#open > 0) throw new Error(`${this.#open} requests never ended: the router under test lost them`);
    return router;
  }

  /** The books of each node. */
  books(): { name: string; workMs: number; preemptions: number; loads: number }[] {
    return this.#nodes.map(({ seen, engine, workMs }) => ({
      name: seen.name,
      workMs,
      preemptions: engine.preemptions,
      loads: engine.loads,
    }));
  }

  get openAttempts(): number {
    return this.#attempts.size;
  }

  // Floor

  now(): number {
    return this.#timeline.now();
  }

  after(ms: number, run: () => void): () => void {
    return this.#timeline.after(ms, run);
  }

  at(dueAt: number, run: () => void): () => void {
    return this.#timeline.at(dueAt, run);
  }

  send(request: number, index: number): number {
    const node = this.#nodes[index];
    const record = this.records[request];
    if (!node || !record || record.outcome !== null)
      throw new Error(`request ${request} cannot be sent to node ${index}`);
    this.#lastAttempt += 1;
    const attempt: Attempt = { id: this.#lastAttempt, node, record, job: null, isOver: false, tokens: 0 };
    this.#attempts.set(attempt.id, attempt);
    record.attempts += 1;
    node.seen.inFlight += 1;
    this.#timeline.after(this.#fleet.networkMs, () => this.#deliver(attempt));
    return attempt.id;
  }

  abort(id: number): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    this.#end(attempt);
    if (attempt.job) attempt.node.engine.abort(attempt.job);
  }

  refuse(request: number, why: Refusal, retryAfterMs: number | null): void {
    const record = this.records[request];
    if (!record) return;
    if (record.refusedAt === null) {
      record.refusedAt = this.now();
      record.toldMs = retryAfterMs;
      record.why = why;
      if (why === 'capacity_exceeded') this.#turnAway(record);
    }
    if (record.firstAt === null && record.comebacks < this.#comebacks) return this.#comeAgain(record, retryAfterMs);
    this.#settle(record, record.firstAt === null ? 'refused' : 'interrupted');
  }

  placeFreed(isOpenTo: (request: SeenRequest) => boolean): void {
    for (const [kind, records] of this.#turnedAway) {
      const [first] = records;
      if (!first || !isOpenTo(first.request.seen)) continue;
      for (const record of records) record.openAt = this.now();
      this.#turnedAway.delete(kind);
    }
  }

  probe(index: number): void {
    const node = this.#nodes[index];
    if (!node) return;
    this.#timeline.after(this.#fleet.networkMs, () => {
      if (node.isDown) this.#router?.probed(index, null);
      else if (node.engine.isAnswering) this.#router?.probed(index, { reading: readNode(node, this.now()) });
      else this.#timeline.after(PROBE_TIMEOUT_MS, () => this.#router?.probed(index, null));
    });
  }

  poll(index: number): void {
    const node = this.#nodes[index];
    if (!node) return;
    this.#timeline.after(this.#fleet.networkMs, () => {
      const reading = !node.isDown && node.engine.isAnswering ? readNode(node, this.now()) : null;
      if (reading) this.#router?.polled(index, reading);
    });
  }

  // Clients

  #arrive(record: RequestRecord): void {
    const { seen } = record.request;
    this.fairness.arrived(seen.caller, this.now());
    if (Number.isFinite(this.#patienceMs)) {
      this.#timeline.after(this.#patienceMs, () => {
        if (record.outcome !== null || record.firstAt !== null) return;
        this.#settle(record, 'gone');
        this.#router?.leave(seen.id);
      });
    }
    this.#router?.arrive(seen);
  }

  #turnAway(record: RequestRecord): void {
    const { caller, model } = record.request.seen;
    const kind = `${caller} ${model}`;
    const alike = this.#turnedAway.get(kind);
    if (alike) alike.push(record);
    else this.#turnedAway.set(kind, [record]);
  }

  /** As the OpenAI clients do: after what they are told, else after 0.5 s doubling to 8 s, less up to a quarter. */
  #comeAgain(record: RequestRecord, toldMs: number | null): void {
    const backoffMs = Math.min(8_000, 500 * 2 ** record.comebacks) * (1 - 0.25 * this.#clientRandom());
    record.comebacks += 1;
    this.#timeline.after(toldMs !== null && toldMs <= 60_000 ? toldMs : backoffMs, () => {
      if (record.outcome === null) this.#router?.arrive(record.request.seen);
    });
  }

  #settle(record: RequestRecord, outcome: NonNullable<RequestRecord['outcome']>): void {
    if (record.outcome !== null) return;
    record.outcome = outcome;
    record.endedAt = this.now();
    this.#open -= 1;
    if (record.startedAt === null) this.fairness.started(record.request.seen.caller, this.now());
  }

  // Nodes

  #deliver(attempt: Attempt): void {
    if (attempt.isOver) return;
    const { node, record } = attempt;
    const { seen, outputTokens, answerBlocks } = record.request;
    if (node.isDown) return this.#fail(attempt, 'connect-failed');
    const { model, promptTokens, blocks, blockTokens } = seen;
    const work = { model, promptTokens, outputTokens, blocks, answerBlocks, blockTokens };
    const job = node.engine.submit(work, {
      started: (cachedTokens) => {
        record.cachedTokens = cachedTokens;
        node.workMs += promptCostMs(node.engine.model, promptTokens) - promptCostMs(node.engine.model, cachedTokens);
        if (record.startedAt !== null) return;
        record.startedAt = this.now();
        this.fairness.started(seen.caller, this.now());
      },
      tokens: (count) => this.#tokens(attempt, count),
      ended: () => this.#ended(attempt),
      failed: (end) => this.#fail(attempt, end),
    });
    if (job) attempt.job = job;
    else this.#fail(attempt, 'overloaded');
  }

  #tokens(attempt: Attempt, count: number): void {
    const { record, node } = attempt;
    const { caller, promptTokens } = record.request.seen;
    const isFirst = attempt.tokens === 0;
    attempt.tokens += count;
    record.tokens += count;
    node.workMs += count * tokenCostMs(node.engine.model, promptTokens + attempt.tokens);
    this.fairness.served(caller, (isFirst ? promptTokens - record.cachedTokens : 0) + 2 * count, this.now());
    if (isFirst) {
      record.firstAt = this.now();
      this.#tell(attempt, { kind: 'first-token' });
      if (count > 1) this.#tell(attempt, { kind: 'tokens', count: count - 1 });
    } else this.#tell(attempt, { kind: 'tokens', count });
  }

  #ended(attempt: Attempt): void {
    const { record, node } = attempt;
    const { promptTokens } = record.request.seen;
    const cachedTokens = tellsCached(node.seen.engine) ? record.cachedTokens : null;
    this.#settle(record, 'served');
    this.#end(attempt);
    this.#tell(attempt, { kind: 'end', promptTokens, completionTokens: record.tokens, cachedTokens });
  }

  #fail(attempt: Attempt, end: Extract<Heard, { kind: 'failed' }>['end']): void {
    this.#end(attempt);
    if (attempt.tokens > 0) this.#settle(attempt.record, 'interrupted');
    this.#tell(attempt, { kind: 'failed', end });
  }

  #end(attempt: Attempt): void {
    if (attempt.isOver) return;
    attempt.isOver = true;
    this.#attempts.delete(attempt.id);
    attempt.node.seen.inFlight -= 1;
  }

  #tell(attempt: Attempt, event: Heard): void {
    this.#router?.heard(attempt.id, event);
  }
}
