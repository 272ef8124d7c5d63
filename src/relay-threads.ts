import { OwnKeyLimits } from './data-plane/auth/key-limits.ts';
import type { ThreadPart } from './data-plane/data-plane.ts';
import { DirectPort } from './data-plane/dispatcher/dispatch-port.ts';
import type { ThreadReport } from './data-plane/gauges.ts';
import type { SharedListening } from './data-plane/http/server.ts';
import { Board } from './data-plane/threads/board.ts';
import type { PublishedFleet } from './data-plane/threads/messages.ts';
import { ringMemory } from './data-plane/threads/ring.ts';
import { SharedDispatcher } from './data-plane/threads/shared-dispatcher.ts';
import { KeyPlacing, limitsMemory, SharedKeyLimits } from './data-plane/threads/shared-limits.ts';
import { shelfMemory } from './data-plane/threads/shelf.ts';
import { Spread } from './data-plane/threads/spread.ts';
import type { ToControlPlane } from './fleet/messages.ts';
import type { Settings } from './fleet/settings.ts';
import { emptySnapshot, type FleetSnapshot } from './fleet/snapshot.ts';
import type { Clock } from './lib/clock.ts';
import { RestartDelay } from './lib/restart-delay.ts';
import { RelayWorker } from './relay-worker.ts';

// The relay threads of a router with more than one: the main thread, which is number 0 and has the dispatcher, and its workers. Here
// they are started, watched and replaced, and here what concerns all of them is put together: a snapshot is in force when
// every thread relays by it, the numbers of all are added up, and what a dead thread took with it is counted.

/** Looks at which a thread has shown no sign of life, one a second, before it is taken for dead. Looks and not seconds: when the
 * whole process was stopped for a while nobody is to blame. */
const SILENT_LOOKS = 10;
const LOOK_MS = 1000;
const STOP_WITHIN_MS = 3000;

export interface RelayThreadsListener {
  /** All threads relay by this snapshot version. */
  applied(version: number): void;
  /** A thread has something for the control plane. */
  tell(message: ToControlPlane): void;
}

interface Seat {
  readonly thread: number;
  readonly delay: RestartDelay;
  worker: RelayWorker | null;
  applied: number;
  lastBeat: number;
  silentLooks: number;
}

export class RelayThreads {
  /** What the main thread's data plane shares with the others. */
  readonly part: ThreadPart;
  /** How the main thread listens. */
  readonly listening: SharedListening;
  #settings: Settings;
  readonly #clock: Clock;
  readonly #listener: RelayThreadsListener;
  readonly #board: Board;
  readonly #sharing: SharedDispatcher;
  readonly #dispatcher: DirectPort;
  readonly #limits: SharedArrayBuffer;
  readonly #keyPlacing: KeyPlacing;
  readonly #keyLimits: SharedKeyLimits;
  readonly #seats: readonly Seat[];
  #fleet: PublishedFleet = { snapshot: emptySnapshot, keyPlaces: new Map() };
  #port = 0;
  #mainApplied = 0;
  #toldApplied = 0;
  #lost = 0;
  #stopLooking: () => void = () => undefined;
  #isStopping = false;

  constructor(settings: Settings, clock: Clock, random: () => number, listener: RelayThreadsListener) {
    const { threads, queue, selection } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#listener = listener;
    this.#board = new Board(threads);
    this.#sharing = new SharedDispatcher(this.#board);
    this.#dispatcher = new DirectPort({ queue, selection, random }, clock, this.#sharing);
    this.#sharing.publishes(this.#dispatcher);
    this.#limits = limitsMemory(threads);
    this.#keyPlacing = new KeyPlacing(this.#limits);
    this.#keyLimits = new SharedKeyLimits(this.#limits, 0, new OwnKeyLimits());
    const spread = new Spread(this.#board, 0, random);
    this.part = {
      port: this.#dispatcher,
      dispatcher: this.#dispatcher,
      keyLimits: this.#keyLimits,
      shedsConnection: () => spread.shedsConnection(),
    };
    this.listening = { reusePort: true, onConnection: (socket) => spread.opened(socket) };
    this.#seats = Array.from({ length: threads - 1 }, (_, at) => ({
      thread: at + 1,
      delay: new RestartDelay(),
      worker: null,
      applied: 0,
      lastBeat: 0,
      silentLooks: 0,
    }));
  }

  /** Starts the workers on the main thread's port; resolves when all listen, rejects with the first one's reason not to. */
  async start(port: number): Promise<void> {
    this.#port = port;
    await Promise.all(this.#seats.map((seat) => this.#spawn(seat)));
    this.#look();
  }

  /** Gives a snapshot to all workers; the main thread's own data plane is given it after this. */
  publish(snapshot: FleetSnapshot): void {
    const keyPlaces = this.#keyPlacing.place(snapshot.keys.values());
    this.#fleet = { snapshot, keyPlaces };
    this.#keyLimits.replacePlaces(keyPlaces);
    for (const worker of this.#workers()) worker.send({ kind: 'fleet', ...this.#fleet });
    // From here on slots may be granted by it, and a worker that is granted one looks whether it has to catch up.
    this.#board.version = snapshot.version;
  }

  /** The main thread relays by this version. */
  appliedByMain(version: number): void {
    this.#mainApplied = version;
    this.#tellApplied();
  }

  /** Gives settings to all workers, those to come too; the main thread's own data plane is given them by itself. */
  replaceSettings(settings: Settings): void {
    this.#settings = settings;
    for (const worker of this.#workers()) worker.send({ kind: 'settings', settings });
  }

  abort(keyId: string): void {
    for (const worker of this.#workers()) worker.send({ kind: 'abort', keyId });
  }

  /** What the workers count, and what dead ones have lost. */
  async reports(): Promise<ThreadReport[]> {
    const reports = await Promise.all(this.#workers().map((worker) => worker.report()));
    const lost = { openRequests: 0, settlementsDropped: this.#lost, sockets: [] };
    return [...reports.filter((report) => report !== null), lost];
  }

  /** Resolves when the workers' running answers have ended, cut off after `limitMs`. They go on listening. */
  async drain(limitMs: number): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#workers().map((worker) => worker.drain(limitMs)));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#stopLooking();
    await Promise.all(this.#workers().map((worker) => worker.stop(STOP_WITHIN_MS)));
  }

  /** Open connections of clients, by thread. */
  connections(): readonly number[] {
    return Array.from({ length: this.#board.threads }, (_, thread) => this.#board.connections(thread));
  }

  /** Ends a worker as a crash would; for tests of what a crash does. */
  async crash(thread: number): Promise<void> {
    await this.#seats.find((seat) => seat.thread === thread)?.worker?.kill();
  }

  #workers(): RelayWorker[] {
    return this.#seats.flatMap(({ worker }) => worker ?? []);
  }

  #spawn(seat: Seat): Promise<void> {
    const { thread } = seat;
    const listening = Promise.withResolvers<void>();
    // It relays by nothing older than what it is started with.
    seat.applied = this.#fleet.snapshot.version;
    seat.silentLooks = 0;
    seat.delay.started(this.#clock.now());
    seat.worker = new RelayWorker({
      start: {
        settings: this.#settings,
        thread,
        port: this.#port,
        toDispatcher: ringMemory(),
        toRelay: ringMemory(),
        shelf: shelfMemory(),
        board: this.#board.memory,
        limits: this.#limits,
        fleet: this.#fleet,
      },
      clock: this.#clock,
      dispatcher: this.#dispatcher,
      sharing: this.#sharing,
      onListening: () => listening.resolve(),
      onApplied: (version) => {
        seat.applied = version;
        this.#tellApplied();
      },
      onTell: (message) => this.#listener.tell(message),
      onExit: (reason) => {
        listening.reject(reason);
        this.#exited(seat, reason);
      },
    });
    return listening.promise;
  }

  #exited(seat: Seat, reason: Error): void {
    seat.worker = null;
    const requests = this.#board.openRequests(seat.thread);
    this.#board.clear(seat.thread);
    this.#keyPlacing.forget(seat.thread);
    this.#tellApplied();
    if (this.#isStopping) return;
    this.#lost += requests;
    this.#listener.tell({
      kind: 'log',
      level: 'error',
      message: 'a relay thread died and is started again',
      detail: { thread: seat.thread, requests, reason: reason.stack ?? reason.message },
    });
    this.#clock.after(seat.delay.died(this.#clock.now()), () => {
      // Should it not come up, that is told by its exit.
      if (!this.#isStopping) this.#spawn(seat).catch(() => undefined);
    });
  }

  #tellApplied(): void {
    let version = this.#mainApplied;
    for (const { worker, applied } of this.#seats) if (worker) version = Math.min(version, applied);
    if (version <= this.#toldApplied) return;
    this.#toldApplied = version;
    this.#listener.applied(version);
  }

  #look(): void {
    this.#stopLooking = this.#clock.after(LOOK_MS, () => {
      for (const seat of this.#seats) this.#lookAt(seat);
      // What depends on time alone, such as Retry-After while nothing ends, is put up anew.
      this.#sharing.hear();
      this.#look();
    });
  }

  #lookAt(seat: Seat): void {
    const beat = this.#board.beat(seat.thread);
    seat.silentLooks = beat === seat.lastBeat ? seat.silentLooks + 1 : 0;
    seat.lastBeat = beat;
    if (seat.silentLooks >= SILENT_LOOKS) void seat.worker?.kill();
  }
}
