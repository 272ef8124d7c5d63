import type { DatabaseSync } from 'node:sqlite';
import { canonicalModel, type EngineKind } from '../fleet/glossary.ts';
import type { Settings } from '../fleet/settings.ts';
import type { HttpClient } from '../http-client/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { uuid7Source } from '../lib/uuid7.ts';
import { type Candidate, isWantedBy } from './models/distribution.ts';
import { attemptBy, meansOf } from './models/means.ts';
import { nodeCall } from './models/node-call.ts';
import type { AttemptEnd } from './models/attempt-end.ts';
import { Tasks } from './models/tasks.ts';
import { headersOf, targetOf } from './node-calls.ts';
import type { NodeFleet } from './nodes/node-fleet.ts';
import type { RegisteredNode } from './nodes/registered-node.ts';
import { StoreWriteError } from './store/database.ts';
import { TasksTable } from './store/tasks-table.ts';
import { isOver, type Task, type TaskKind } from './task.ts';
import type { Log } from './telemetry/log.ts';

// Tasks brought together with what they are about: the nodes, their engines, the store. A task is done only when the node's list was
// read again and the data plane places by it, so that whoever sees `done` can use the model.
//
// Rules of distribution are looked at whenever a node becomes ready. What an administrator cancelled is not begun again by a rule, or
// there would be no way to be rid of it but to change the configuration; what failed is, but not at every flap of the node.

const RULE_AGAIN_AFTER_MS = 600_000;

export interface ModelTasksOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly database: DatabaseSync;
  readonly httpClient: HttpClient;
  readonly log: Log;
  readonly fleet: () => NodeFleet;
  /** All nodes there were at the start are known. */
  readonly isSettled: () => boolean;
  /** Resolves when what is known of the fleet is in force in the data plane. */
  readonly inForce: () => Promise<void>;
}

export class ModelTasks {
  readonly tasks: Tasks;
  readonly #options: ModelTasksOptions;
  readonly #probed = new Set<string>();

  constructor(options: ModelTasksOptions) {
    const { clock, random, settings, database, log } = options;
    this.#options = options;
    const table = new TasksTable(database);
    const quietly = (write: () => void): void => {
      try {
        write();
      } catch (error) {
        if (!(error instanceof StoreWriteError)) throw error;
        log.warn('what became of a task could not be kept', { reason: error.message });
      }
    };
    this.tasks = new Tasks({
      clock,
      random,
      newId: uuid7Source(() => clock.wall()),
      get maxPulls() {
        return settings().tasks.maxPulls;
      },
      stored: table.all(),
      keep: (task) => table.save([task]),
      save: (task) => quietly(() => table.save([task])),
      forget: (ids) => quietly(() => table.remove(ids)),
      nodeState: (id) => this.#nodeState(id),
      attempt: (task, report, signal) => this.#attempt(task, report, signal),
      onEnd: ({ id, kind, nodeName, model, state, detail }) =>
        log.info('task', { task: id, kind, node: nodeName, model, state, detail }),
    });
  }

  /** What distribution needs to know of a node. */
  candidate(node: RegisteredNode, model: string): Candidate {
    const engine = knownEngine(node);
    const means = engine === null ? null : meansOf(engine, 'pull');
    return {
      id: node.id,
      name: node.settings.name,
      tags: node.settings.tags ?? [],
      memoryBytes: node.settings.memoryBytes ?? null,
      has: node.listed === null ? null : node.listed.some(({ name }) => isSameModel(name, engineName(node, model))),
      obstacle:
        means === null ? unknownEngine : typeof means === 'string' ? { code: 'not_supported', reason: means } : null,
    };
  }

  /** A node's state or its models became others. */
  nodeChanged(node: RegisteredNode): void {
    // A stream from a node that froze may stay open for ever. A pull goes on where it was; a load would begin from nothing.
    if (node.health.state === 'offline') this.tasks.renew(node.id, 'pull');
    this.tasks.wake();
    if (node.health.state !== 'ready') return;
    for (const rule of this.#options.settings().distribution) {
      if (!isWantedBy(rule, this.candidate(node, rule.model)) || this.#isSettledOtherwise(node, rule.model)) continue;
      const { id: nodeId, settings } = node;
      const order = { kind: 'pull', nodeId, nodeName: settings.name, model: rule.model, keepAlive: null } as const;
      try {
        this.tasks.start({ ...order, origin: 'rule', distribution: null });
      } catch (error) {
        if (!(error instanceof StoreWriteError)) throw error;
        this.#options.log.warn('a rule of distribution could not begin', { model: rule.model, reason: error.message });
      }
    }
  }

  /** Rules of distribution, or how many may be pulled at once, became others. */
  rulesChanged(): void {
    for (const node of this.#options.fleet().registry.all()) this.nodeChanged(node);
  }

  /** A probe ended, or the node is gone. Nodes that a restart of this plane found as they were have no other first sign of life. */
  nodeProbed(id: string): void {
    const node = this.#options.fleet().registry.byId(id);
    if (!node) this.#probed.delete(id);
    else if (!this.#probed.has(id)) {
      this.#probed.add(id);
      this.nodeChanged(node);
    }
  }

  #isSettledOtherwise(node: RegisteredNode, model: string): boolean {
    const last = this.tasks
      .all()
      .findLast(({ kind, nodeId, model: other }) => kind === 'pull' && nodeId === node.id && isSameModel(other, model));
    if (!last) return false;
    if (!isOver(last) || last.state === 'cancelled') return true;
    return last.state === 'failed' && this.#options.clock.wall() - (last.endedAt ?? 0) < RULE_AGAIN_AFTER_MS;
  }

  #nodeState(id: string): 'up' | 'away' | 'gone' {
    const node = this.#options.fleet().registry.byId(id);
    if (!node) return this.#options.isSettled() ? 'gone' : 'away';
    const { state } = node.health;
    return (state === 'ready' || state === 'loading') && knownEngine(node) !== null ? 'up' : 'away';
  }

  async #attempt(task: Task, report: Parameters<typeof attemptBy>[3], signal: AbortSignal): Promise<AttemptEnd> {
    const { httpClient, clock, settings, fleet, inForce } = this.#options;
    const node = fleet().registry.byId(task.nodeId);
    const engine = node && knownEngine(node);
    if (!node || !engine) return { kind: 'again', detail: 'Its node is away.' };
    const means = meansOf(engine, task.kind);
    if (typeof means === 'string') return { kind: 'failed', code: 'not_supported', detail: means };
    const target = targetOf(node, settings().health.timeoutMs);
    const called = { target, basePath: node.address.basePath, headers: headersOf(node) };
    const call = nodeCall(httpClient, clock, called, signal);
    const wanted = { model: engineName(node, task.model), keepAlive: task.keepAlive };
    const end = await attemptBy(means, call, wanted, report);
    if (end.kind !== 'done' || signal.aborted) return end;
    await fleet().probeNow(node);
    await inForce();
    return end;
  }
}

/** What a node's engine is known to be; null until it was recognised. */
function knownEngine({ settings, engine }: RegisteredNode): EngineKind | null {
  return settings.engine === 'auto' ? engine : settings.engine;
}

/** How a node's engine is told to do that, a sentence where it cannot be, or null where the engine is not known. */
export function canDo(node: RegisteredNode, kind: TaskKind): true | string | null {
  const engine = knownEngine(node);
  if (engine === null) return null;
  const means = meansOf(engine, kind);
  return typeof means === 'string' ? means : true;
}

/** The engine's own name of a model, where an operator gave it another. */
function engineName(node: RegisteredNode, model: string): string {
  const { models = {} } = node.settings;
  const known = Object.keys(models).find((name) => isSameModel(name, model));
  return (known === undefined ? undefined : models[known]) ?? model;
}

export function isSameModel(one: string, other: string): boolean {
  return canonicalModel(one) === canonicalModel(other);
}

const unknownEngine = {
  code: 'engine_unknown',
  reason: 'Its engine has not been recognised yet. Try again when it is up, or set its engine.',
} as const;
