import { verdicts } from '../../../src/data-plane/attempt/verdict.ts';
import { Dispatcher } from '../../../src/data-plane/dispatcher/dispatcher.ts';
import type { Grant, LeaseOutcome, NodeRef, Spent, WaitResult } from '../../../src/data-plane/dispatcher/ticket.ts';
import type { PolicyName } from '../../../src/fleet/glossary.ts';
import type { Settings } from '../../../src/fleet/settings.ts';
import type { AttemptEnd } from '../../../src/fleet/settlement.ts';
import type { Rival, Sent } from '../policies/rival.ts';
import type { Floor, Heard, Reading, Router, SeenRequest } from '../seen.ts';
import { pollAll } from './shipped.ts';
import { steer } from './steer.ts';
import { TimeLimits, type TimeSettings } from './time-limits.ts';
import { PROBE_MS, WeirFleet } from './weir-fleet.ts';
import { outcomeOf, refusalOf, ticketOf, type Asked, type Told } from './weir-words.ts';

// Weir's own dispatcher, balancer, breaker, verdict table and health rules, driven through the calls that serve real
// requests, under the virtual clock. Only the loop around an attempt is written anew here (request.ts has sockets in it):
// the same verdicts, the same budget.
//
// With a rival, its score is put behind our waiting room: while nobody waits and a node is free it chooses among the free
// nodes, and the ticket names the others as tried, so that the dispatcher takes just that one; when all are full its
// requests wait here, and a freed slot goes to the oldest, as for our own policies. `pollMs` is how often the rival's
// product reads the nodes' load, beside our own probes.

const MOST_ATTEMPTS = 3;

export interface WeirSettings extends TimeSettings {
  readonly policy: PolicyName;
  readonly queue: Settings['queue'];
  readonly cacheTtlMs: number;
  /** By when clients tell that they want a first token; null where they do not. */
  readonly told: Told | null;
}

interface OpenRequest extends Asked {
  readonly tried: NodeRef[];
  readonly suspects: NodeRef[];
  attempts: number;
  waitedMs: number;
}

interface OpenAttempt {
  readonly open: OpenRequest;
  readonly grant: Grant;
  readonly sent: Sent;
  readonly limits: TimeLimits;
}

export class WeirRouter implements Router {
  readonly #floor: Floor;
  readonly #settings: WeirSettings;
  readonly #rival: Rival | null;
  readonly #dispatcher: Dispatcher;
  readonly #requests = new Map<number, OpenRequest>();
  readonly #byTicket = new Map<number, OpenRequest>();
  readonly #attempts = new Map<number, OpenAttempt>();
  readonly #fleet: WeirFleet;
  #lastTicket = 0;
  #waiters = 0;
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
    this.#fleet = new WeirFleet(floor.nodes, floor.random);
    const { queue, policy, cacheTtlMs } = settings;
    const selection = { policy, cacheTtlMs };
    const answer = (ticket: number, result: WaitResult): void => this.#answered(ticket, result);
    this.#dispatcher = new Dispatcher({ queue, selection, random: floor.random, answer }, floor.now());
    this.#dispatcher.replaceSnapshot(this.#fleet.snapshot(), floor.now());
    pollAll(floor, pollMs);
    for (const { index } of floor.nodes) this.#floor.after(floor.random() * PROBE_MS, () => this.#floor.probe(index));
  }

  arrive(request: SeenRequest): void {
    this.#lastTicket += 1;
    const open: OpenRequest = { request, ticket: this.#lastTicket, tried: [], attempts: 0, waitedMs: 0, suspects: [] };
    this.#requests.set(request.id, open);
    this.#byTicket.set(open.ticket, open);
    // Some places open with time, and this one may take the first.
    this.#floor.placeFreed((each) => this.#wouldLetIn(each));
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
      // Counted from the deltas of its stream.
      const completionTokens = attempt.sent.tokens;
      const spent = { promptTokens: null, completionTokens, cachedTokens: null };
      this.#close(id, attempt, 'aborted', { kind: 'neutral' }, completionTokens > 0 ? spent : null);
    }
    this.#forget(open);
    this.#arm();
  }

  heard(id: number, event: Heard): void {
    const attempt = this.#attempts.get(id);
    if (!attempt) return;
    const now = this.#floor.now();
    attempt.limits.heard();
    switch (event.kind) {
      case 'first-token':
        attempt.sent.firstAt = now;
        attempt.sent.tokens += 1;
        this.#rival?.firstToken?.(attempt.sent, now);
        this.#dispatcher.firstToken(attempt.grant.lease, now);
        break;
      case 'tokens':
        attempt.sent.tokens += event.count;
        break;
      case 'end':
        this.#close(id, attempt, 'served', { kind: 'served' }, event);
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
    const change = this.#fleet.probed(node, answer, now);
    this.#floor.after(this.#fleet.pauseMs(node, now), () => this.#floor.probe(node));
    if (change) {
      this.#dispatcher.replaceSnapshot(this.#fleet.snapshot(), now);
      if (change === 'offline') this.#abandonUnbegun(node);
    }
    this.#dispatcher.replaceTelemetry(this.#fleet.telemetry(now));
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
    const plain = ticketOf(open, readmitted, this.#settings);
    const others =
      this.#rival && steer(this.#rival, open, this.#floor.nodes, this.#fleet, this.#dispatcher.counts(now), now);
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
    const limits = new TimeLimits(this.#floor, this.#settings, (end) => this.#timedOut(id, end));
    this.#attempts.set(id, { open, grant, sent, limits });
    this.#rival?.sent?.(sent);
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

  #close(
    id: number,
    attempt: OpenAttempt,
    how: 'served' | 'failed' | 'aborted',
    outcome: LeaseOutcome,
    spent: Spent | null = null,
  ): void {
    attempt.limits.stop();
    this.#attempts.delete(id);
    this.#rival?.ended?.(attempt.sent, how, this.#floor.now());
    this.#dispatcher.release(attempt.grant.lease, outcome, this.#floor.now(), spent);
  }

  #forget({ request, ticket }: OpenRequest): void {
    this.#requests.delete(request.id);
    this.#byTicket.delete(ticket);
  }

  #wouldLetIn(request: SeenRequest): boolean {
    const asked = { request, ticket: this.#lastTicket + 1, tried: [], waitedMs: 0 };
    return this.#dispatcher.mayWait(ticketOf(asked, false, this.#settings), this.#floor.now());
  }

  // The clock

  #arm(): void {
    const { waiters } = this.#dispatcher;
    if (waiters < this.#waiters) this.#floor.placeFreed((request) => this.#wouldLetIn(request));
    this.#waiters = waiters;
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

function nothing(): void {
  // No timer is set.
}
