import type { ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { type Asking, planAsking, type Unaskable } from './asking.ts';
import { Callers } from './auth/callers.ts';
import { type KeyLimits, OwnKeyLimits } from './auth/key-limits.ts';
import type { AnyCall } from './calls.ts';
import { handleCommand } from './command.ts';
import { DirectPort, type DispatchPort } from './dispatcher/dispatch-port.ts';
import type { NodeRef } from './dispatcher/ticket.ts';
import { ErrandPort } from './errands.ts';
import type { NodeCommand, NodeDoubt, ToControlPlane } from '../fleet/messages.ts';
import type { Settings } from '../fleet/settings.ts';
import { emptySnapshot, type FleetSnapshot, type NodeSnapshot } from '../fleet/snapshot.ts';
import type { Gauges, NodeTelemetry } from '../fleet/telemetry.ts';
import type { HttpClient } from '../http-client/http-client.ts';
import { gaugesOf, socketsOf, type ThreadReport } from './gauges.ts';
import type { ClientRequest } from './http/client-request.ts';
import { findRoute, type Route } from './http/routes.ts';
import type { Clock } from '../lib/clock.ts';
import { Deadlines } from '../lib/deadlines.ts';
import { uuid7Source } from '../lib/uuid7.ts';
import { placementView } from './placement-view.ts';
import { NodeDoors, poolOf } from './attempt/node-request.ts';
import { answerPlainly } from './plain-answers.ts';
import { handleInference } from './request.ts';
import { Settlements } from './settlements.ts';
import { Targets } from './targets.ts';
import type { Trip } from './trip.ts';
import { Unspoken } from './unspoken.ts';

// The data plane's state and its other half beside request.ts: what it is told by the control plane, what it answers by itself,
// and how it stops. It waits for nobody but clients and nodes.

export interface DataPlaneOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly httpClient: HttpClient;
  readonly random: () => number;
  /** Gives a message to the control plane; false where it is away. */
  readonly post: (message: ToControlPlane) => boolean;
  /** With several relay threads: this one's part among them. */
  readonly part?: ThreadPart;
}

/** What a relay thread shares with the others instead of having it for itself. */
export interface ThreadPart {
  readonly port: DispatchPort;
  /** The dispatcher's own port, on its thread; null on the others. */
  readonly dispatcher: DirectPort | null;
  readonly keyLimits: KeyLimits;
  /** True where the client's connection should end with this answer, so that the next one may go to another thread. */
  readonly shedsConnection: () => boolean;
}

export class DataPlane {
  /** Replaced whole; whoever holds one for a request finishes by it. */
  settings: Settings;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly httpClient: HttpClient;
  doors: NodeDoors;
  readonly port: DispatchPort;
  readonly #dispatcher: DirectPort | null;
  readonly #shedsConnection: () => boolean;
  callers: Callers;
  readonly #keyLimits: KeyLimits;
  readonly settlements: Settlements;
  /** In place of `port` for what takes no slot. */
  readonly errands: ErrandPort;
  readonly unspoken = new Unspoken();
  targets: Targets;
  readonly #random: () => number;
  readonly nextId: () => string;
  /** Requests between their arrival and their settlement. */
  readonly open = new Set<Trip>();
  snapshot: FleetSnapshot = emptySnapshot;
  draining = false;
  readonly #post: DataPlaneOptions['post'];
  readonly #settled = Promise.withResolvers<void>();
  /** Those who wait for the last open request to end. */
  #whenQuiet: (() => void)[] = [];

  constructor({ settings, clock, httpClient, random, post, part }: DataPlaneOptions) {
    this.settings = settings;
    this.clock = clock;
    this.deadlines = new Deadlines(clock);
    this.httpClient = httpClient;
    this.doors = new NodeDoors(settings);
    this.#post = post;
    this.#random = random;
    this.#keyLimits = part?.keyLimits ?? new OwnKeyLimits();
    this.targets = new Targets(settings.aliases, random);
    this.callers = new Callers(settings, this.#keyLimits);
    if (part) {
      this.port = part.port;
      this.#dispatcher = part.dispatcher;
    } else {
      const { queue, selection } = settings;
      this.#dispatcher = new DirectPort({ queue, selection, random }, clock);
      this.port = this.#dispatcher;
    }
    const { deadlines, port } = this;
    this.errands = new ErrandPort({ threads: settings.threads, deadlines, now: () => clock.now(), port });
    this.#shedsConnection = part?.shedsConnection ?? (() => false);
    this.settlements = new Settlements(clock, (settlements) => post({ kind: 'settlements', settlements }));
    this.nextId = uuid7Source(() => clock.wall());
  }

  /** Answers one request of a client. */
  handle(request: ClientRequest, response: ServerResponse): void {
    const route: Route = lacksHost(request)
      ? { kind: 'no-host' }
      : findRoute(request.method ?? 'GET', request.url ?? '/');
    if (route.kind === 'inference') void handleInference(this, route, request, response);
    else if (route.kind === 'command') void handleCommand(this, route, request, response);
    else void answerPlainly(this, route, request, response);
  }

  // What the control plane tells

  /** Places by this snapshot from now on, and ends what it took the ground from. */
  replaceSnapshot(snapshot: FleetSnapshot): void {
    const before = this.snapshot;
    this.snapshot = snapshot;
    const view = placementView(snapshot);
    this.#dispatcher?.replaceSnapshot(view);
    this.errands.replaceSnapshot(view);
    for (const node of before.nodes) if (node && !isRegistered(snapshot, node)) this.httpClient.retire(poolOf(node));
    const keyIds = new Set(Array.from(snapshot.keys.values(), ({ id }) => id));
    for (const trip of this.open) {
      const node = trip.attempt?.node;
      if (node && isRegistered(snapshot, node) && snapshot.nodes[node.index]?.state === 'offline') {
        trip.attempt?.relay.nodeLost();
      }
      // A revoked key's running answers finish; what has not been placed yet is refused.
      const key = trip.caller?.key;
      if (key && !keyIds.has(key.id) && trip.attempt === null && !trip.isAnswered) trip.endBy('invalid_api_key');
    }
    if (snapshot.settled) this.#settled.resolve();
    this.#post({ kind: 'applied', version: snapshot.version });
  }

  /** Goes by these settings from now on; what was counted and learned stays. */
  replaceSettings(settings: Settings): void {
    const { pool } = this.settings;
    this.settings = settings;
    this.doors = new NodeDoors(settings);
    this.targets = new Targets(settings.aliases, this.#random);
    this.callers = new Callers(settings, this.#keyLimits);
    this.#dispatcher?.replaceSettings(settings);
    if (!isDeepStrictEqual(pool, settings.pool)) this.httpClient.replaceOptions(settings.pool);
  }

  replaceTelemetry(nodes: readonly NodeTelemetry[]): void {
    this.#dispatcher?.replaceTelemetry(nodes);
  }

  /** Ends everything that runs under a key. */
  abortKey(keyId: string): void {
    for (const trip of this.open) if (trip.caller?.key?.id === keyId) trip.endBy('invalid_api_key');
  }

  doubt(doubt: NodeDoubt): void {
    this.#post({ kind: 'doubt', doubt });
  }

  tellCommand(command: NodeCommand): void {
    this.#post({ kind: 'command', command });
  }

  logBug(requestId: string, error: unknown): void {
    const detail = { requestId, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    this.#post({ kind: 'log', level: 'error', message: 'a request ended in an unexpected error', detail });
  }

  // What requests ask

  /** Resolves once every configured node has been looked at, or the router stops. */
  whenSettled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Who places the request: what takes no slot does not wait for one. */
  portOf({ route }: Trip): DispatchPort {
    return route.takesSlot ? this.port : this.errands;
  }

  /** Judges which nodes of the model `name` can be asked what the request asks, and how. */
  planAsking(trip: Trip, call: AnyCall, name: string): Asking | Unaskable {
    return planAsking(trip.route, trip.form, call, name, () => trip.body, {
      snapshot: this.snapshot,
      unspoken: this.unspoken,
      now: this.clock.now(),
    });
  }

  /** The node said that it does not have the endpoint of this request. */
  noteUnspoken({ route: { speech } }: Trip, node: NodeRef): void {
    if (speech !== null) this.unspoken.note(speech, node, this.clock.now());
  }

  /** The router's own headers of an answer, whoever it comes from. A stopping router lets no connection live on, a crowded thread not all. */
  answerHeaders(trip: Trip): string[] {
    const headers = trip.ownHeaders();
    if (this.draining || this.#shedsConnection()) headers.push('connection', 'close');
    return headers;
  }

  /** What this thread counts of its own. */
  report(): ThreadReport {
    return {
      openRequests: this.open.size,
      settlementsDropped: this.settlements.dropped,
      sockets: socketsOf(this.snapshot, this.httpClient),
    };
  }

  /** The live numbers of the router; `others` are the reports of its other relay threads. Asked of the dispatcher's thread. */
  gauges(others: readonly ThreadReport[] = []): Gauges {
    if (!this.#dispatcher) throw new Error('gauges are asked of the thread of the dispatcher');
    return gaugesOf(this.#dispatcher.counts(), this.draining, [this.report(), ...others]);
  }

  // How it stops

  /** Refuses what is new, answers who waits, and resolves when all running answers have ended, cut off after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.draining = true;
    this.#settled.resolve();
    this.#dispatcher?.drain();
    this.errands.drain();
    // A stop waits for answers, not for what may never be asked in full.
    for (const trip of this.open) if (trip.isReading) trip.endBy('draining');
    if (this.open.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenQuiet.push(resolve);
      const stop = this.clock.after(limitMs, () => {
        for (const trip of this.open) trip.endBy('draining');
      });
      await promise;
      stop();
    }
    this.settlements.flush();
  }

  /** A request is settled: it is open no longer. */
  forget(trip: Trip): void {
    this.open.delete(trip);
    if (this.open.size === 0) for (const resolve of this.#whenQuiet.splice(0)) resolve();
  }
}

/** RFC 9112, section 3.2. */
function lacksHost({ httpVersion, headers }: ClientRequest): boolean {
  return httpVersion === '1.1' && headers.host === undefined;
}

function isRegistered(snapshot: FleetSnapshot, node: NodeSnapshot): boolean {
  return snapshot.nodes[node.index]?.generation === node.generation;
}
