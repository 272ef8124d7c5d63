import type { Product, Rival, Sent } from '../policies/rival.ts';
import type { Floor, Heard, Reading, Refusal, Router, SeenNode, SeenRequest } from '../seen.ts';

// A rival as its product ships it: every request is sent at once to the node its policy chooses, and waits inside the engine if it must.
// Around that: polls of the nodes' load at the product's pace, health checks, a breaker and retries where the product has them. Not modelled:
// optional queues and saturation gates that are off by default.

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
    const everyMs = Math.min(product.pollMs ?? Infinity, product.healthMs);
    for (const { index } of floor.nodes) this.#probeEvery(index, everyMs);
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

  probed(node: number, answer: { readonly reading: Reading | null } | null): void {
    const standing = this.#standing[node];
    if (!standing) return;
    if (!answer) {
      standing.failedProbes += 1;
      return;
    }
    standing.failedProbes = 0;
    if (answer.reading) this.#rival.polled?.(node, answer.reading);
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
    const { healthMs, healthFailures, pollMs } = this.#product;
    // Probes may come more often than health checks: as many must fail as fit in the time that those take.
    const perCheck = Math.max(1, Math.floor(healthMs / Math.min(pollMs ?? Infinity, healthMs)));
    return standing.failedProbes < healthFailures * perCheck && now >= standing.outUntil;
  }

  #probeEvery(node: number, everyMs: number): void {
    this.#floor.probe(node);
    this.#floor.after(everyMs, () => this.#probeEvery(node, everyMs));
  }
}
