import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchDesk } from '../../../test/support/dispatch-desk.ts';
import { nodesAlike, seededRandom } from '../../../test/support/fleet.ts';
import { noClaim, type Claim } from './ticket.ts';

const HELD_MS = 2000;
const SLOTS = 4;

function of(caller: string): { claim: Claim; maxWaitMs: number } {
  return { claim: { ...noClaim, caller }, maxWaitMs: 600_000 };
}

/** A full room before four slots, each of which is held for as long as `heldMs` says. */
class Scene {
  readonly desk = new DispatchDesk(nodesAlike(SLOTS), { queue: { maxWaiters: 40, timeoutMs: 600_000 } });
  readonly #heldMs: () => number;
  readonly #ends: { readonly id: number; readonly at: number }[] = [];
  #seen = 0;
  #callers = 0;

  constructor(heldMs: () => number) {
    this.#heldMs = heldMs;
    // So that there is something to forecast by.
    for (let round = 0; round < 60; round += 1) {
      if (this.desk.counts().waiters < 8) this.crowd(1);
      this.run(HELD_MS / SLOTS);
    }
    while (this.desk.counts().waiters < 32) this.crowd(1);
  }

  /** Asks for so many, each of another caller. */
  crowd(count: number): number[] {
    const ids = Array.from({ length: count }, () => this.desk.ask(of(`caller ${(this.#callers += 1)}`)));
    this.#look();
    return ids;
  }

  run(ms: number): void {
    const until = this.desk.now + ms;
    for (;;) {
      this.#look();
      const next = this.#ends.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > until) break;
      this.#ends.splice(this.#ends.indexOf(next), 1);
      this.desk.advance(Math.max(0, next.at - this.desk.now));
      this.desk.release(next.id);
    }
    this.desk.advance(until - this.desk.now);
  }

  told(id: number): number {
    const result = this.desk.result(id);
    assert.ok(result?.kind === 'capacity-exceeded', `${id} is ${result?.kind ?? 'waiting'}`);
    return result.retryAfterMs;
  }

  #look(): void {
    for (const id of this.desk.served.slice(this.#seen)) {
      this.#ends.push({ id, at: this.desk.now + this.#heldMs() });
    }
    this.#seen = this.desk.served.length;
  }
}

test('of a crowd that is turned away together each finds a place when it was told to come, and they do not come together', () => {
  const scene = new Scene(() => HELD_MS);
  const startedAt = scene.desk.now;
  const toldAt = scene.crowd(40).map((id) => startedAt + scene.told(id));
  const gapMs = HELD_MS / SLOTS;
  let accepted = 0;
  for (const at of toldAt.toSorted((a, b) => a - b)) {
    scene.run(at - scene.desk.now);
    const [id = 0] = scene.crowd(1);
    if (scene.desk.state(id) !== 'capacity-exceeded') accepted += 1;
  }
  assert.ok(accepted >= 36, `${accepted} of 40 found a place`);
  for (let from = startedAt; from < startedAt + 30_000; from += 1000) {
    const together = toldAt.filter((at) => at >= from && at < from + 1000).length;
    assert.ok(together <= 2 * (1000 / gapMs), `${together} come within one second`);
  }
});

test('where answers take the same time each, what is told is true to a tenth', () => {
  const scene = new Scene(() => 8000);
  for (let nth = 0; nth < 10; nth += 1) {
    scene.run(61_300);
    scene.crowd(32 - scene.desk.counts().waiters);
    const { now } = scene.desk;
    const [refused = 0] = scene.crowd(1);
    const toldMs = scene.told(refused);
    while (scene.desk.counts().waiters === 32) scene.run(10);
    const truthMs = scene.desk.now - now;
    if (truthMs < 1000) continue;
    assert.ok(toldMs > 0.9 * truthMs && toldMs < 1.2 * truthMs, `told ${toldMs}, true ${truthMs}`);
  }
});

test('where as many are turned away all the time, each is told when the next place comes free', () => {
  const random = seededRandom(5);
  const scene = new Scene(() => 2 * HELD_MS * random());
  const told: number[] = [];
  for (let quarter = 0; quarter < 480; quarter += 1) {
    scene.run(250);
    // Twice as many as find a place.
    for (const id of scene.crowd(2)) {
      const result = scene.desk.result(id);
      if (quarter > 240 && result?.kind === 'capacity-exceeded') told.push(result.retryAfterMs);
    }
  }
  assert.ok(told.length > 200);
  const soon = told.filter((ms) => ms < 3000).length;
  assert.ok(soon >= 0.95 * told.length, `${soon} of ${told.length}`);
});

test('who holds its share of the places is let in again when it was told, and not before while others wait', () => {
  const scene = new Scene(() => HELD_MS);
  const { desk } = scene;
  // The others' waiters are served until there are places again.
  scene.run(4000);
  const flood = (): number => desk.ask(of('flood'));
  let refused = flood();
  while (desk.state(refused) === 'waiting') refused = flood();
  const toldMs = scene.told(refused);
  const at = desk.now;
  assert.ok(toldMs >= 1000);
  assert.equal(desk.state(flood()), 'capacity-exceeded');
  scene.crowd(1);
  scene.run(Math.max(0, at + 1.3 * toldMs - desk.now));
  assert.notEqual(desk.state(flood()), 'capacity-exceeded', 'the appointment is kept');
});

test('to ask whether a place has come free since gives nobody a time to come back', () => {
  const scene = new Scene(() => 8000);
  const { dispatcher, now } = scene.desk;
  const first = dispatcher.refusesUnread(now)?.retryAfterMs ?? 0;
  for (let nth = 0; nth < 20; nth += 1) assert.equal(dispatcher.isFullAnywhere, true);
  const second = dispatcher.refusesUnread(now)?.retryAfterMs ?? 0;
  assert.ok(second > first && second < first + 2 * 2000 + 500, `${first}, then ${second}`);
});
