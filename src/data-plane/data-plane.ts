import type { IncomingMessage, ServerResponse } from 'node:http';
import { findModel, listModels } from './api/model-list.ts';
import { dialects } from './api/dialects.ts';
import { clientError } from './api/dialect.ts';
import { Callers, mayUse } from './auth/callers.ts';
import { DispatchPort } from './dispatcher/dispatch-port.ts';
import type { ErrorCode } from '../fleet/errors.ts';
import type { Dialect } from '../fleet/glossary.ts';
import type { NodeDoubt, ToControlPlane } from '../fleet/messages.ts';
import type { Settings } from '../fleet/settings.ts';
import { emptySnapshot, type FleetSnapshot, type NodeSnapshot } from '../fleet/snapshot.ts';
import type { Gauges, NodeTelemetry } from '../fleet/telemetry.ts';
import type { HttpClient } from '../http-client/http-client.ts';
import { drainAndClose } from './http/read-body.ts';
import { sendError, sendJson } from './http/reply.ts';
import { findRoute, type Route } from './http/routes.ts';
import type { Clock } from '../lib/clock.ts';
import { uuid7Source } from '../lib/uuid7.ts';
import { placementName, placementView, publicName } from './placement-view.ts';
import { poolOf } from './attempt/node-request.ts';
import { handleInference } from './request.ts';
import { Settlements } from './settlements.ts';
import type { InferenceRoute, Trip } from './trip.ts';

// The data plane's state and its other half beside request.ts: what it is told by the control plane, what it answers by itself,
// and how it stops. It waits for nobody but clients and nodes.

export interface DataPlaneOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly httpClient: HttpClient;
  readonly random: () => number;
  /** Gives a message to the control plane; false where it is away. */
  readonly post: (message: ToControlPlane) => boolean;
}

export class DataPlane {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly httpClient: HttpClient;
  readonly port: DispatchPort;
  readonly callers: Callers;
  readonly settlements: Settlements;
  readonly nextId: () => string;
  /** Requests between their arrival and their settlement. */
  readonly open = new Set<Trip>();
  snapshot: FleetSnapshot = emptySnapshot;
  draining = false;
  readonly #post: DataPlaneOptions['post'];
  #whenQuiet: (() => void) | null = null;

  constructor({ settings, clock, httpClient, random, post }: DataPlaneOptions) {
    this.settings = settings;
    this.clock = clock;
    this.httpClient = httpClient;
    this.#post = post;
    this.callers = new Callers(settings);
    this.port = new DispatchPort({ queue: settings.queue, selection: settings.selection, random }, clock);
    this.settlements = new Settlements(clock, (settlements) => post({ kind: 'settlements', settlements }));
    this.nextId = uuid7Source(() => clock.wall());
  }

  /** Answers one request of a client. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const route = findRoute(request.method ?? 'GET', request.url ?? '/');
    if (route.kind !== 'inference') return this.#answer(route, request, response);
    void this.#carry(route, request, response);
  }

  // What the control plane tells

  /** Places by this snapshot from now on, and ends what it took the ground from. */
  replaceSnapshot(snapshot: FleetSnapshot): void {
    const before = this.snapshot;
    this.snapshot = snapshot;
    this.port.replaceSnapshot(placementView(snapshot));
    for (const node of before.nodes) if (node && !isRegistered(snapshot, node)) this.httpClient.retire(poolOf(node));
    for (const trip of this.open) {
      const node = trip.attempt?.node;
      if (node && isRegistered(snapshot, node) && snapshot.nodes[node.index]?.state === 'offline') {
        trip.attempt?.relay.nodeLost();
      }
      // A revoked key's running answers finish; what has not been placed yet is refused.
      if (trip.caller?.key && trip.attempt === null && !this.#isKnown(trip.caller.key.id)) {
        endTrip(trip, 'invalid_api_key');
      }
    }
    this.#post({ kind: 'applied', version: snapshot.version });
  }

  replaceTelemetry(nodes: readonly NodeTelemetry[]): void {
    this.port.replaceTelemetry(nodes);
  }

  /** Ends everything that runs under a key. */
  abortKey(keyId: string): void {
    for (const trip of this.open) if (trip.caller?.key?.id === keyId) endTrip(trip, 'invalid_api_key');
  }

  doubt(doubt: NodeDoubt): void {
    this.#post({ kind: 'doubt', doubt });
  }

  logBug(requestId: string, error: unknown): void {
    const detail = { requestId, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    this.#post({ kind: 'log', level: 'error', message: 'a request ended in an unexpected error', detail });
  }

  // What requests ask

  placementName(dialect: Dialect, model: string): string {
    return placementName(this.snapshot, dialect, model);
  }

  /** A sentence for a client of a router that knows no node at all; undefined where it knows some. */
  emptyFleetHint(code: ErrorCode): string | undefined {
    if (this.snapshot.nodes.some((node) => node !== null)) return undefined;
    const first = code === 'no_ready_node' ? 'No node is ready' : 'No node offers this model';
    return (
      `${first}: no inference node is registered and none was found on this machine. Add one with ` +
      '"weir serve --node http://HOST:PORT", with "nodes:" in the configuration file, or with POST /api/nodes on the ' +
      'admin listener; or try the demonstration: npm run demo.'
    );
  }

  gauges(): Gauges {
    const counts = this.port.counts();
    const waitersByModel = new Map<string, number>();
    for (const { model, waiters } of counts.models) {
      const name = publicName(model);
      waitersByModel.set(name, (waitersByModel.get(name) ?? 0) + waiters);
    }
    return {
      openLeases: counts.openLeases,
      waiters: counts.waiters,
      waitingBytes: counts.waitingBytes,
      openRequests: this.open.size,
      draining: this.draining,
      settlementsDropped: this.settlements.dropped,
      retryBudget: counts.retryBudget,
      nodes: counts.nodes.map((node) => {
        const registered = this.snapshot.nodes[node.index];
        const sockets = registered ? this.httpClient.sockets(poolOf(registered)) : { idle: 0, busy: 0, opened: 0 };
        const { idle: socketsIdle, busy: socketsBusy, opened: socketsOpened } = sockets;
        return Object.assign(node, { socketsIdle, socketsBusy, socketsOpened });
      }),
      models: Array.from(waitersByModel, ([model, waiters]) => ({ model, waiters })),
    };
  }

  // How it stops

  /** Refuses what is new, answers who waits, and resolves when all running answers have ended, cut off after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.draining = true;
    this.port.drain();
    if (this.open.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenQuiet = resolve;
      const stop = this.clock.after(limitMs, () => {
        for (const trip of this.open) endTrip(trip, 'draining');
      });
      await promise;
      stop();
    }
    this.settlements.flush();
  }

  async #carry(route: InferenceRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await handleInference(this, route, request, response);
    if (this.open.size === 0) this.#whenQuiet?.();
  }

  #isKnown(keyId: string): boolean {
    for (const key of this.snapshot.keys.values()) if (key.id === keyId) return true;
    return false;
  }

  /** Everything but inference: answered at once from what is known. */
  #answer(route: Exclude<Route, { kind: 'inference' }>, request: IncomingMessage, response: ServerResponse): void {
    const requestId = this.nextId();
    const ownHeaders = ['x-request-id', requestId];
    const fail = (dialect: Dialect, code: ErrorCode, headers: readonly string[] = [], message?: string): void => {
      const hasBody = !request.complete;
      const all = hasBody ? [...ownHeaders, ...headers, 'connection', 'close'] : [...ownHeaders, ...headers];
      const error = clientError(code, { requestId, ...(message === undefined ? {} : { message }) });
      sendError(response, dialects[dialect], error, all);
      if (hasBody) drainAndClose(request, this.clock);
    };
    switch (route.kind) {
      case 'healthz':
        return sendJson(response, 200, ownHeaders, { status: 'alive' });
      case 'readyz': {
        const isReady = this.snapshot.settled && !this.draining;
        const status = isReady ? 'ready' : this.draining ? 'draining' : 'starting';
        return sendJson(response, isReady ? 200 : 503, ownHeaders, { status });
      }
      case 'not-found':
        return fail(route.dialect, 'not_found');
      case 'wrong-method':
        return fail(route.dialect, 'method_not_allowed', ['allow', route.allow]);
      case 'later':
        return fail(route.dialect, 'not_implemented');
      case 'models':
      case 'model': {
        const identified = this.callers.identify(request, this.snapshot, this.clock.now(), this.clock.wall());
        if (identified.kind === 'refused') return fail('openai', identified.code);
        if (route.kind === 'models') {
          const list = listModels(this.snapshot, (name) => mayUse(identified.caller, name));
          return sendJson(response, 200, ownHeaders, list);
        }
        if (!mayUse(identified.caller, route.id)) return fail('openai', 'not_allowed');
        const model = findModel(this.snapshot, route.id);
        if (model) return sendJson(response, 200, ownHeaders, model);
        return fail('openai', 'model_not_found', [], this.emptyFleetHint('model_not_found'));
      }
    }
  }
}

function isRegistered(snapshot: FleetSnapshot, node: NodeSnapshot): boolean {
  return snapshot.nodes[node.index]?.generation === node.generation;
}

function endTrip(trip: Trip, code: ErrorCode): void {
  trip.endedBy = code;
  trip.leaving.abort();
}
