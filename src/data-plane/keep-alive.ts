import type { DataPlane } from './data-plane.ts';
import type { Deadline } from '../lib/deadlines.ts';
import type { DispatchPort } from './dispatcher/dispatch-port.ts';
import type { QueueStanding } from './queue-standing.ts';
import type { Trip } from './trip.ts';

// Clients and proxies give up on connections that stay quiet, and a request may wait for a slot, or for a cold model, longer than that.
// A stream is therefore opened after a while and sent what its dialect's clients pass over; the price is that its status is 200
// from then on and a refusal can only be told inside. It is no beginning of the answer: a node that fails is still followed by
// another. An answer that is no stream has TCP's keep-alive and no more: of HTTP's interim answers, which could help, `100` ends the
// connections of one common client library and everything else those of another.

const STREAMED: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/api/chat',
  '/api/generate',
]);

/** Keeps the connection of a request that asked for a stream open until its answer begins. Ended by `end`. */
export class KeepAlive {
  readonly #plane: DataPlane;
  readonly #trip: Trip;
  #deadline: Deadline | null = null;
  #standing: () => ReturnType<DispatchPort['standing']> = () => null;

  constructor(plane: DataPlane, trip: Trip) {
    this.#plane = plane;
    this.#trip = trip;
    if (trip.stream && STREAMED.has(trip.route.path) && plane.settings.timeouts.keepAliveMs > 0) this.#wait();
  }

  /** Where it waits from now on, so that its client can be told how long it still will. */
  waitsAt(port: DispatchPort, ticketId: number): void {
    this.#standing = () => port.standing(ticketId);
  }

  end(): void {
    this.#deadline?.cancel();
  }

  #wait(): void {
    const { deadlines, settings } = this.#plane;
    this.#deadline = deadlines.set(settings.timeouts.keepAliveMs, () => void this.#speak());
  }

  async #speak(): Promise<void> {
    const { outlet, form, response } = this.#trip;
    const asked = this.#standing();
    const standing = asked instanceof Promise ? await asked : asked;
    if (outlet.hasBegun || this.#trip.isAnswered || response.destroyed) return;
    // Behind another answer on its connection nothing of this one can be sent.
    if (!outlet.waitsForTurn) {
      if (!outlet.isOpen) {
        const headers = this.#plane.answerHeaders(this.#trip);
        outlet.open(200, [...headers, 'content-type', form.streamContentType, 'cache-control', 'no-cache']);
      }
      outlet.keepAlive(form.keepAlive(this.#news(standing)));
    }
    this.#wait();
  }

  #news(standing: QueueStanding | null): string {
    const waited = `waited ${Math.round(this.#plane.clock.now() - this.#trip.arrivedAt)} ms`;
    if (standing === null) return waited;
    const { position, estimatedWaitMs } = standing;
    return `${waited}, position ${position}, estimated wait ${Math.round(estimatedWaitMs)} ms`;
  }
}
