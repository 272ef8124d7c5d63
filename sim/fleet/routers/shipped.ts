import type { Product, Rival, Sent } from '../policies/rival.ts';
import type { Floor, Heard, Reading, Refusal, Router, SeenNode, SeenRequest } from '../seen.ts';

// A rival as its product ships it: every request is sent at once to the node its policy chooses, and waits inside the
// engine if it must. Around that: polls of the nodes' load at the product's pace, health checks, a breaker and retries
// where the product has them. Not modelled: optional queues and saturation gates that are off by default.

interface Open {
  readonly request: SeenRequest;
  readonly tried: readonly number[];
}

interface Standing {
  failedProbes: number;
  failuresInARow: number;
  outUntil: number;
}

export class ShippedRouter implements Router {
  readonly #floor: Floor;
  readonly #rival: Rival;
  readonly #product: Product;
  readonly #open = new Map<number, Open>();
  readonly #attempts = new Map<number, Sent>();
  readonly #standing: readonly Standing[];
  #retries = 0;

  constructor(floor: Floor, rival: Rival, product: Product) {
    this.#floor = floor;
    this.#rival = rival;
    this.#product = product;
    this.#standing = floor.nodes.map(() => ({ failedProbes: 0, failuresInARow: 0, outUntil: 0 }));
    for (const { index } of floor.nodes) this.#probeAgain(index);
    pollAll(floor, product.pollMs);
  }

  arrive(request: SeenRequest): void {
    this.#place({ request, tried: [] });
  }

  leave(request: number): void {
    for (const [attempt, sent] of this.#attempts) {
      if (sent.request.id !== request) continue;
      this.#floor.abort(attempt);
      this.#finish(attempt, sent, 'aborted');
    }
    this.#open.delete(request);
  }

  heard(attempt: number, event: Heard): void {
    const sent = this.#attempts.get(attempt);
    if (!sent) return;
    switch (event.kind) {
      case 'first-token':
        sent.firstAt = this.#floor.now();
        sent.tokens += 1;
        this.#rival.firstToken?.(sent, this.#floor.now());
        break;
      case 'tokens':
        sent.tokens += event.count;
        break;
      case 'end':
        this.#open.delete(sent.request.id);
        this.#finish(attempt, sent, 'served');
        this.#note(sent.node, true);
        break;
      case 'failed':
        this.#finish(attempt, sent, 'failed');
        if (event.end !== 'overloaded') this.#note(sent.node, false);
        this.#retry(sent, event.end === 'overloaded' ? 'capacity_exceeded' : 'upstream_failed');
        break;
      default:
        event satisfies never;
    }
  }

  probed(node: number, answer: unknown): void {
    const standing = this.#standing[node];
    if (standing) standing.failedProbes = answer === null ? standing.failedProbes + 1 : 0;
  }

  polled(node: number, reading: Reading): void {
    this.#rival.polled?.(node, reading);
  }

  report(): Readonly<Record<string, number>> {
    return { retries: this.#retries, openAttempts: this.#attempts.size };
  }

  #place(open: Open): void {
    const { request, tried } = open;
    const now = this.#floor.now();
    const offering = this.#floor.nodes.filter(({ models }) => models.includes(request.model));
    const well = offering.filter(({ index }) => !tried.includes(index) && this.#isIn(index, now));
    const chosen = this.#rival.choose(request, well, now);
    if (!chosen) return this.#floor.refuse(request.id, tried.length > 0 ? 'upstream_failed' : 'no_ready_node', null);
    this.#open.set(request.id, open);
    this.#send(request, chosen, now);
  }

  #send(request: SeenRequest, { index }: SeenNode, now: number): void {
    const sent: Sent = { request, node: index, sentAt: now, firstAt: null, tokens: 0 };
    this.#attempts.set(this.#floor.send(request.id, index), sent);
    this.#rival.sent?.(sent);
  }

  #retry(sent: Sent, why: Refusal): void {
    const open = this.#open.get(sent.request.id);
    this.#open.delete(sent.request.id);
    // An answer that has begun cannot be taken back.
    if (!open || sent.firstAt !== null) return;
    if (open.tried.length + 1 >= this.#product.attempts) return this.#floor.refuse(sent.request.id, why, null);
    this.#retries += 1;
    this.#place({ request: open.request, tried: [...open.tried, sent.node] });
  }

  #finish(attempt: number, sent: Sent, how: 'served' | 'failed' | 'aborted'): void {
    this.#attempts.delete(attempt);
    this.#rival.ended?.(sent, how, this.#floor.now());
  }

  #note(node: number, isWell: boolean): void {
    const standing = this.#standing[node];
    if (!standing) return;
    standing.failuresInARow = isWell ? 0 : standing.failuresInARow + 1;
    const { breaker } = this.#product;
    if (!breaker || standing.failuresInARow < breaker.failures) return;
    standing.failuresInARow = 0;
    standing.outUntil = this.#floor.now() + breaker.openMs;
  }

  #isIn(node: number, now: number): boolean {
    const standing = this.#standing[node];
    if (!standing) return false;
    return standing.failedProbes < this.#product.healthFailures && now >= standing.outUntil;
  }

  #probeAgain(node: number): void {
    this.#floor.probe(node);
    this.#floor.after(this.#product.healthMs, () => this.#probeAgain(node));
  }
}

/** Polls every node's load at a product's pace, all in one loop as most do. */
export function pollAll(floor: Floor, everyMs: number | null): void {
  if (everyMs === null) return;
  for (const { index } of floor.nodes) floor.poll(index);
  floor.after(everyMs, () => pollAll(floor, everyMs));
}
