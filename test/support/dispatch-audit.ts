import assert from 'node:assert/strict';
import type { NodeCounts } from '../../src/data-plane/dispatcher/counts.ts';
import type { Grant, NodeRef, Ticket } from '../../src/data-plane/dispatcher/ticket.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { NodePlan } from './fleet.ts';

// What must hold of a fleet, its waiters and its leases at any moment, judged from outside the dispatcher.

export interface Asked {
  readonly ticket: Ticket;
  readonly askedAt: number;
  /** When its delay ends: no sooner than that of a newcomer who waited when it came. */
  readonly eligibleAt: number;
}

export interface Running {
  readonly ticket: Ticket;
  readonly grant: Grant;
}

export interface Scene {
  readonly clock: Clock;
  readonly nodes: readonly (NodePlan | null)[];
  readonly waiting: ReadonlyMap<number, Asked>;
  readonly running: ReadonlyMap<number, Running>;
  /** By node index: until when it may be held to be loading, or to refuse our key. */
  readonly doubtedUntil: ReadonlyMap<number, number>;
}

/** First come, first served within a caller: nobody of it who waited longer for the same model could have used the slot. */
export function auditOrder(scene: Scene, ticket: Ticket, grant: Grant, atOnce: boolean): void {
  const left = leftOn(scene, grant, ticket.model);
  for (const { ticket: other } of scene.waiting.values()) {
    // Between callers tokens decide; a newcomer goes before nobody at all.
    if (!atOnce && other.claim.caller !== ticket.claim.caller) continue;
    if (other.model !== ticket.model || other.id >= ticket.id || isAmong(other.tried, grant)) continue;
    // A newcomer may have what is left when everybody before it is given a slot.
    assert.ok(atOnce && left > 1, `${ticket.id} overtook ${other.id}`);
  }
}

/** Work conservation, where nothing but slots could hold a waiter back: nodes that neither cool, are doubted nor out. */
export function auditIdleSlots(scene: Scene, counts: readonly NodeCounts[]): void {
  const now = scene.clock.now();
  for (const { index, generation, breaker, cooling } of counts) {
    const plan = scene.nodes[index];
    if (!plan || !takesRequests(plan) || breaker !== 'closed' || cooling) continue;
    // Doubts are not told by the counts.
    if ((scene.doubtedUntil.get(index) ?? 0) > now) continue;
    const ref = { node: index, generation };
    for (const { ticket, eligibleAt } of scene.waiting.values()) {
      if (!plan.models?.includes(ticket.model) || isAmong(ticket.tried, ref)) continue;
      if (leftOn(scene, ref, ticket.model) <= 0) continue;
      assert.ok(eligibleAt > now, `a slot of node ${index} idles while ${ticket.id} waits`);
    }
  }
}

/** Never more than half of a model's nodes are out by their breakers. */
export function auditBreakers(scene: Scene, counts: readonly NodeCounts[], model: string): void {
  const able = counts.filter(({ index }) => {
    const plan = scene.nodes[index];
    return plan && takesRequests(plan) && plan.models?.includes(model);
  });
  const out = able.filter(({ breaker }) => breaker !== 'closed');
  assert.ok(out.length * 2 <= able.length, `${out.length} of ${able.length} nodes of ${model} are out`);
}

export function takesRequests({ state = 'ready', draining = false }: NodePlan): boolean {
  return state === 'ready' && !draining;
}

export function runningOn({ running }: Scene, ref: NodeRef): Running[] {
  return [...running.values()].filter(({ grant }) => isSame(grant, ref));
}

/** How many more leases for the model the plan allows; less than zero where it was changed to fewer. */
export function leftOn(scene: Scene, ref: NodeRef, model: string): number {
  const { slots = 1, modelSlots = Infinity } = scene.nodes[ref.node] ?? {};
  const here = runningOn(scene, ref);
  return Math.min(slots - here.length, modelSlots - here.filter(({ ticket }) => ticket.model === model).length);
}

export function isAmong(refs: readonly NodeRef[], ref: NodeRef): boolean {
  return refs.some((each) => isSame(each, ref));
}

function isSame(a: NodeRef, b: NodeRef): boolean {
  return a.node === b.node && a.generation === b.generation;
}
