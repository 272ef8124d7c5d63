import { afterProbe, unprobed, wantsQuickProbe, type Health } from '../../../src/control-plane/nodes/health.ts';
import { coolMs, verdicts, type Verdict } from '../../../src/data-plane/attempt/verdict.ts';
import { Dispatcher } from '../../../src/data-plane/dispatcher/dispatcher.ts';
import type { Grant, LeaseOutcome, NodeRef, Ticket, WaitResult } from '../../../src/data-plane/dispatcher/ticket.ts';
import type { PolicyName } from '../../../src/fleet/glossary.ts';
import type { Settings } from '../../../src/fleet/settings.ts';
import type { AttemptEnd } from '../../../src/fleet/settlement.ts';
import type { Rival, Sent } from '../policies/rival.ts';
import type { Floor, Heard, Reading, Refusal, Router, SeenNode, SeenRequest } from '../seen.ts';
import { pollAll } from './shipped.ts';
import { snapshotOf } from './snapshot-of.ts';

// Weir's own dispatcher, balancer, breaker, verdict table and health rules, driven through the calls that serve real requests, under the virtual
// clock. Only the loop around an attempt is written anew here (request.ts has sockets in it): the same verdicts, the same budget.
//
// With a rival, its score is put behind our waiting room: while nobody waits and a node is free it chooses among the free nodes, and the
// ticket names the others as tried, so that the dispatcher takes just that one; when all are full its requests wait here, and a freed slot
// goes to the oldest, as for our own policies. `pollMs` is how often the rival's product reads the nodes' load, beside our own probes.

const PROBE_MS = 5_000;
const QUICK_PROBE_MS = 1_000;
const MOST_ATTEMPTS = 3;

export interface WeirSettings {
  readonly policy: PolicyName;
  readonly queue: Settings['queue'];
  readonly cacheTtlMs: number;
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
}

interface OpenRequest {
  readonly request: SeenRequest;
  /** Order of arrival, as `DispatchPort` numbers tickets. */
  readonly ticket: number;
  readonly tried: NodeRef[];
  attempts: number;
  waitedMs: number;
  suspects: NodeRef[];
}

interface OpenAttempt {
  readonly open: OpenRequest;
  readonly grant: Grant;
  readonly sent: Sent;
  heardAt: number;
  stopTimer: () => void;
}

export class WeirRouter implements Router {
  readonly #floor: Floor;
  readonly #settings: WeirSettings;
  readonly #rival: Rival | null;
  readonly #dispatcher: Dispatcher;
  readonly #requests = new Map<number, OpenRequest>();
  readonly #byTicket = new Map<number, OpenRequest>();
  readonly #attempts = new Map<number, OpenAttempt>();
  readonly #health: Health[];
  readonly #probes: number[];
  #version = 0;
  #lastTicket = 0;
  #disarm: () => void = nothing;
  #armedFor: number | null = null;
  /** The ticket whose answer is looked at by who asks, and that answer. */
  #asking: { readonly ticket: number; result: WaitResult | null } | null = null;
  #retries = 0;
  #steered = 0;

  constructor(floor: Floor, settings: WeirSettings, rival: Rival | null, pollMs: number | null) {
    this.#floor = floor;
    this.#settings = settings;
    this.#rival = rival;
    this.#health = floor.nodes.map(() => ({ ...unprobed, state: 'ready' }));
    this.#probes = floor.nodes.map(() => 1);
    const { queue, policy, cacheTtlMs } = settings;
    const selection = { policy, cacheTtlMs };
    const answer = (ticket: number, result: WaitResult): void => this.#answered(ticket, result);
    this.#dispatcher = new Dispatcher({ queue, selection, random: floor.random, answer }, floor.now());
    this.#publish();
    pollAll(floor, pollMs);
    for (const { index } of floor.nodes) this.#floor.after(floor.random() * PROBE_MS, () => this.#floor.probe(index));
  }

  arrive(request: SeenRequest): void {
    this.#lastTicket += 1;
    const open: OpenRequest = { request, ticket: this.#lastTicket, tried: [], attempts: 0, waitedMs: 0, suspects: [] };
    this.#requests.set(request.id, open);
    this.#byTicket.set(open.ticket, open);
    this.#ask(open, false);
    this.#arm();
  }

  leave(request: number): void {
    const open = this.#requests.get(request);
    if (!open) return;
    this.#dispatcher.cancel(open.ticket, this.#floor.now());
    for (const [id, attempt] of this.#attempts) {
      if (attempt.open !== open) continue;
      this.#floor.abort(id);
      this.#close(id, attempt, 'aborted', { kind: 'neutral' });
    }
    this.#forget(open);
    this.#arm();
  }

  heard(id: number, event: Heard): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    const now = this.#floor.now();
    attempt.heardAt = now;
    switch (event.kind) {
      case 'first-token':
        attempt.sent.firstAt = now;
        attempt.sent.tokens += 1;
        attempt.stopTimer();
        this.#watchForStall(id, attempt);
        this.#rival?.firstToken?.(attempt.sent, now);
        break;
      case 'tokens':
        attempt.sent.tokens += event.count;
        break;
      case 'end':
        this.#close(id, attempt, 'served', { kind: 'served' });
        for (const node of attempt.open.suspects) this.#dispatcher.blame(node, now);
        this.#forget(attempt.open);
        break;
      case 'failed':
        this.#failed(id, attempt, event.end);
        break;
      default:
        event satisfies never;
    }
    this.#arm();
  }

  probed(node: number, answer: { readonly reading: Reading | null } | null): void {
    const now = this.#floor.now();
    const before = this.#health[node] ?? unprobed;
    const load = { running: answer?.reading?.running ?? null, waiting: answer?.reading?.waiting ?? null };
    const health = afterProbe(
      before,
      answer
        ? {
            kind: 'answered',
            engine: this.#floor.nodes[node]?.engine ?? 'openai',
            state: 'ready',
            models: null,
            slots: null,
            load: { ...load, cacheUse: answer.reading?.cacheUse ?? null },
            version: null,
          }
        : { kind: 'unreachable', detail: 'no answer' },
      now,
    );
    this.#health[node] = health;
    this.#probes[node] = (this.#probes[node] ?? 0) + 1;
    const pauseMs = wantsQuickProbe(health, now) ? QUICK_PROBE_MS : PROBE_MS;
    this.#floor.after(pauseMs * (0.9 + 0.2 * this.#floor.random()), () => this.#floor.probe(node));
    if (health.state !== before.state) {
      this.#publish();
      if (health.state === 'offline') this.#abandonUnbegun(node);
    }
    this.#tellTelemetry();
    this.#arm();
  }

  polled(node: number, reading: Reading): void {
    this.#rival?.polled?.(node, reading);
  }

  report(): Readonly<Record<string, number>> {
    const { openLeases, waiters } = this.#dispatcher.counts(this.#floor.now());
    return { retries: this.#retries, steered: this.#steered, openAttempts: this.#attempts.size, openLeases, waiters };
  }

  // Asking for a slot

  #ask(open: OpenRequest, readmitted: boolean): void {
    const now = this.#floor.now();
    const plain = ticketOf(open, readmitted, this.#settings.queue.timeoutMs);
    const others = this.#rival ? this.#steer(this.#rival, open) : null;
    if (!others) return this.#dispatcher.place(plain, now);
    this.#asking = { ticket: open.ticket, result: null };
    this.#dispatcher.place({ ...plain, tried: [...plain.tried, ...others] }, now);
    const { result } = this.#asking;
    // It did not get the node after all: withdraw, and wait like everybody.
    if (result?.kind !== 'ready') {
      if (!result) this.#dispatcher.cancel(open.ticket, now);
      this.#asking = null;
      return this.#dispatcher.place(plain, now);
    }
    this.#asking = null;
    this.#steered += 1;
    this.#answered(open.ticket, result);
  }

  /** All nodes but the rival's choice; null where somebody waits, or no node is free. */
  #steer(rival: Rival, { request, tried }: OpenRequest): NodeRef[] | null {
    const now = this.#floor.now();
    const { waiters, nodes } = this.#dispatcher.counts(now);
    if (waiters > 0) return null;
    const free: SeenNode[] = [];
    for (const { index, slots, taken, breaker, cooling } of nodes) {
      const node = this.#floor.nodes[index];
      if (!node?.models.includes(request.model) || this.#health[index]?.state !== 'ready') continue;
      if (taken >= slots || breaker === 'open' || cooling || tried.some((ref) => ref.node === index)) continue;
      free.push(node);
    }
    const chosen = rival.choose(request, free, now);
    return (
      chosen && this.#floor.nodes.filter((node) => node !== chosen).map(({ index }) => ({ node: index, generation: 1 }))
    );
  }

  #answered(ticket: number, result: WaitResult): void {
    if (this.#asking?.ticket === ticket) {
      this.#asking.result = result;
      return;
    }
    const open = this.#byTicket.get(ticket);
    if (!open) return;
    open.waitedMs += result.waitedMs ?? 0;
    if (result.kind === 'ready') return this.#send(open, result.grant);
    this.#forget(open);
    const why = refusalOf(result);
    if (why) this.#floor.refuse(open.request.id, why, 'retryAfterMs' in result ? result.retryAfterMs : null);
  }

  // Attempts

  #send(open: OpenRequest, grant: Grant): void {
    const now = this.#floor.now();
    open.attempts += 1;
    const sent: Sent = { request: open.request, node: grant.node, sentAt: now, firstAt: null, tokens: 0 };
    const id = this.#floor.send(open.request.id, grant.node);
    const stopTimer = this.#floor.after(this.#settings.firstByteMs, () => this.#timedOut(id, 'first-byte-timeout'));
    this.#attempts.set(id, { open, grant, sent, heardAt: now, stopTimer });
    this.#rival?.sent?.(sent);
  }

  #watchForStall(id: number, attempt: OpenAttempt): void {
    const dueAt = attempt.heardAt + this.#settings.betweenBytesMs;
    if (dueAt <= this.#floor.now()) return this.#timedOut(id, 'stalled');
    attempt.stopTimer = this.#floor.at(dueAt, () => this.#watchForStall(id, attempt));
  }

  #timedOut(id: number, end: AttemptEnd): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    this.#floor.abort(id);
    if (attempt.sent.firstAt !== null) this.#floor.refuse(attempt.open.request.id, 'upstream_timeout', null);
    this.#failed(id, attempt, end);
    this.#arm();
  }

  /** The control plane found the node lost: what it has not begun to answer is tried elsewhere at once. */
  #abandonUnbegun(node: number): void {
    for (const [id, attempt] of this.#attempts) {
      if (attempt.grant.node !== node || attempt.sent.firstAt !== null) continue;
      this.#floor.abort(id);
      this.#failed(id, attempt, 'node-lost');
    }
  }

  #failed(id: number, attempt: OpenAttempt, end: AttemptEnd): void {
    const { open, grant, sent } = attempt;
    const verdict = verdicts[end];
    this.#close(id, attempt, 'failed', outcomeOf(verdict));
    if (sent.firstAt !== null) return this.#forget(open);
    if (verdict.marksTried) open.tried.push({ node: grant.node, generation: grant.generation });
    if (verdict.blame === 'if-served') open.suspects.push({ node: grant.node, generation: grant.generation });
    const mayGoOn = verdict.next === 'another' && open.attempts < Math.min(MOST_ATTEMPTS, 1 + verdict.furtherAttempts);
    if (mayGoOn && this.#dispatcher.mayRetry(this.#floor.now())) {
      this.#retries += 1;
      return this.#ask(open, true);
    }
    this.#forget(open);
    const retryAfterMs = verdict.blame === 'overloaded' ? this.#dispatcher.retryAfterMs(this.#floor.now()) : null;
    this.#floor.refuse(
      open.request.id,
      verdict.blame === 'overloaded' ? 'capacity_exceeded' : 'upstream_failed',
      retryAfterMs,
    );
  }

  #close(id: number, attempt: OpenAttempt, how: 'served' | 'failed' | 'aborted', outcome: LeaseOutcome): void {
    attempt.stopTimer();
    this.#attempts.delete(id);
    this.#rival?.ended?.(attempt.sent, how, this.#floor.now());
    this.#dispatcher.release(attempt.grant.lease, outcome, this.#floor.now());
  }

  #forget({ request, ticket }: OpenRequest): void {
    this.#requests.delete(request.id);
    this.#byTicket.delete(ticket);
  }

  // The fleet and the clock

  #publish(): void {
    this.#version += 1;
    this.#dispatcher.replaceSnapshot(
      snapshotOf(this.#floor.nodes, this.#health, this.#probes, this.#version),
      this.#floor.now(),
    );
  }

  #tellTelemetry(): void {
    const now = this.#floor.now();
    this.#dispatcher.replaceTelemetry(
      this.#floor.nodes.map(({ index, reading }) => ({
        index,
        generation: 1,
        readAt: reading?.readAt ?? now,
        running: reading?.running ?? null,
        waiting: reading?.waiting ?? null,
        cacheUse: reading?.cacheUse ?? null,
        nextProbeAt: now + PROBE_MS,
      })),
    );
  }

  #arm(): void {
    const wakeAt = this.#dispatcher.nextWakeAt();
    if (wakeAt === this.#armedFor) return;
    this.#disarm();
    this.#armedFor = wakeAt;
    this.#disarm = nothing;
    if (wakeAt === null || !Number.isFinite(wakeAt)) return;
    this.#disarm = this.#floor.at(wakeAt, () => {
      this.#armedFor = null;
      this.#dispatcher.tick(this.#floor.now());
      this.#arm();
    });
  }
}

/** The one place where tickets are made of what is seen of a request. */
function ticketOf({ request, ticket, tried, waitedMs }: OpenRequest, readmitted: boolean, timeoutMs: number): Ticket {
  const { model, bytes } = request;
  return { id: ticket, model, bytes, maxWaitMs: Math.max(0, timeoutMs - waitedMs), tried: [...tried], readmitted };
}

function outcomeOf({ blame }: Verdict): LeaseOutcome {
  switch (blame) {
    case 'if-served':
      return { kind: 'suspect' };
    case 'overloaded':
      return { kind: 'overloaded', coolMs: coolMs(null) };
    case 'loading':
      return { kind: 'loading', retryAfterMs: null };
    case 'served':
    case 'neutral':
    case 'fault':
    case 'missing':
    case 'unauthorized':
      return { kind: blame };
    default:
      return blame satisfies never;
  }
}

/** Null where nobody is there to be told. */
function refusalOf({ kind }: Exclude<WaitResult, { kind: 'ready' }>): Refusal | null {
  switch (kind) {
    case 'timeout':
      return 'wait_timeout';
    case 'no-ready-node':
      return 'no_ready_node';
    case 'capacity-exceeded':
    case 'draining':
      return 'capacity_exceeded';
    case 'model-not-found':
      return 'model_not_found';
    case 'exhausted':
      return 'upstream_failed';
    case 'abandoned':
      return null;
    default:
      return kind satisfies never;
  }
}

function nothing(): void {
  // No timer is set.
}
