import { Worker } from 'node:worker_threads';
import type { ToAgentListener } from './fleet/agent-messages.ts';
import type { ControlPlaneStart, ToControlPlane, ToDataPlane } from './fleet/messages.ts';
import type { Settings } from './fleet/settings.ts';
import type { Overrides, SettingsReport } from './fleet/settings-report.ts';
import { emptySnapshot, type FleetSnapshot } from './fleet/snapshot.ts';
import type { Gauges, NodeTelemetry } from './fleet/telemetry.ts';
import type { Clock } from './lib/clock.ts';
import { RestartDelay } from './lib/restart-delay.ts';

// The control plane's worker thread, seen from the main thread: started, listened to, and restarted when it dies. Requests do not
// notice: the data plane goes on with the last snapshot, which the new worker is given to carry on from, so that node
// indexes keep their meaning and the fleet does not flap.

const STOP_WITHIN_MS = 5_000;
const SETTINGS_WITHIN_MS = 5_000;

export interface ControlPlaneListener {
  snapshot(snapshot: FleetSnapshot): void;
  telemetry(nodes: readonly NodeTelemetry[]): void;
  gauges(): Gauges | Promise<Gauges>;
  abort(keyId: string): void;
  agents(told: ToAgentListener): void;
  /** Judges what is set through the admin API, and takes it if told so; resolves with what is wrong. */
  overrides(overrides: Overrides, apply: boolean): Promise<readonly string[]>;
}

export interface AdminListening {
  readonly url: string;
  /** Only where it was made at this start. */
  readonly token: string | null;
}

export class ControlPlaneHost {
  readonly #clock: Clock;
  readonly #listener: ControlPlaneListener;
  readonly #startedAt: number;
  #report: SettingsReport;
  /** Where it listens, once that is known. */
  #adminListen: Settings['admin']['listen'];
  readonly #questions = new Map<number, (problems: readonly string[]) => void>();
  #question = 0;
  #snapshot: FleetSnapshot = emptySnapshot;
  #worker: Worker | null = null;
  readonly #restartDelay = new RestartDelay();
  #stopping: (() => void) | null = null;
  readonly #started = Promise.withResolvers<AdminListening>();
  #admin: AdminListening | null = null;

  constructor(report: SettingsReport, clock: Clock, listener: ControlPlaneListener) {
    this.#report = report;
    this.#adminListen = report.settings.admin.listen;
    this.#clock = clock;
    this.#listener = listener;
    this.#startedAt = clock.wall();
  }

  /** Resolves once the admin listener is up and the first snapshot is in force; rejects where that is impossible. */
  start(): Promise<AdminListening> {
    this.#spawn();
    return this.#started.promise;
  }

  /** Gives a message to the worker; false while there is none. */
  post(message: ToControlPlane): boolean {
    if (!this.#worker) return false;
    this.#worker.postMessage(message);
    return true;
  }

  /** Resolves when it goes by these settings, or with what speaks against them. While it is away its next start takes them. */
  replaceSettings(report: SettingsReport): Promise<readonly string[]> {
    this.#question += 1;
    const question = this.#question;
    const before = this.#report;
    this.#report = report;
    if (!this.post({ kind: 'settings', question, report })) return Promise.resolve([]);
    return new Promise((resolve) => {
      const answer = (problems: readonly string[]): void => {
        cancel();
        this.#questions.delete(question);
        if (problems.length > 0) this.#report = before;
        resolve(problems);
      };
      const cancel = this.#clock.after(SETTINGS_WITHIN_MS, () => answer([]));
      this.#questions.set(question, answer);
    });
  }

  /** Lets it write what is pending, then ends it. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopping = resolve;
    if (!worker) return;
    const cancel = this.#clock.after(STOP_WITHIN_MS, resolve);
    this.post({ kind: 'stop' });
    await promise;
    cancel();
    await worker.terminate();
  }

  /** Ends the worker as a crash would; for tests of what a crash does. */
  async crash(): Promise<void> {
    await this.#worker?.terminate();
  }

  #spawn(): void {
    const { settings } = this.#report;
    const start: ControlPlaneStart = {
      settings: { ...settings, admin: { ...settings.admin, listen: this.#adminListen } },
      report: this.#report,
      resume: this.#snapshot.version === 0 ? null : this.#snapshot,
      startedAt: this.#startedAt,
    };
    // The same file as TypeScript in a checkout and as JavaScript in the published package.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./control-plane/worker.${extension}`, import.meta.url), {
      workerData: start,
      // It is in no hurry: a small young generation keeps its share of the idle process small. With half of this, a batch
      // of settlements outlives its collection, and is copied about for a quarter of what recording it costs.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    this.#worker = worker;
    this.#restartDelay.started(this.#clock.now());
    let reason = 'it ended without a reason';
    worker.on('message', (message: ToDataPlane) => {
      if (message.kind === 'failed') reason = message.message;
      if (this.#worker === worker) this.#receive(message);
    });
    worker.on('error', (error) => {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#exited(reason);
    });
  }

  #receive(message: ToDataPlane): void {
    switch (message.kind) {
      case 'started':
        this.#listening({ url: message.adminUrl, token: message.adminToken });
        return;
      case 'failed':
        this.#started.reject(new Error(message.message));
        return;
      case 'snapshot':
        this.#snapshot = message.snapshot;
        this.#listener.snapshot(message.snapshot);
        this.#whenComplete();
        return;
      case 'telemetry':
        this.#listener.telemetry(message.nodes);
        return;
      case 'gauges?':
        void this.#tellGauges(message.question);
        return;
      case 'abort':
        this.#listener.abort(message.keyId);
        return;
      case 'agents':
        this.#listener.agents(message.told);
        return;
      case 'settings-taken':
        this.#questions.get(message.question)?.(message.problems);
        return;
      case 'overrides?':
        void this.#judge(message.question, message.overrides, message.apply);
        return;
      case 'stopped':
        this.#stopping?.();
    }
  }

  async #tellGauges(question: number): Promise<void> {
    this.post({ kind: 'gauges', question, gauges: await this.#listener.gauges() });
  }

  async #judge(question: number, overrides: Overrides, apply: boolean): Promise<void> {
    const problems = await this.#listener.overrides(overrides, apply);
    this.post({ kind: 'overrides-judged', question, problems });
  }

  #listening(admin: AdminListening): void {
    this.#admin ??= admin;
    // A restarted worker takes the port that was chosen at first, where it was left to the system.
    const { hostname, port } = new URL(admin.url);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const before = this.#adminListen;
    this.#adminListen = { host: before.host || host, port: Number(port) || before.port };
    this.#whenComplete();
  }

  #whenComplete(): void {
    if (this.#admin && this.#snapshot.version > 0) this.#started.resolve(this.#admin);
  }

  #exited(reason: string): void {
    if (this.#stopping) return this.#stopping();
    // Before it ever ran, its end is the router's: rejecting a promise that has been settled does nothing.
    this.#started.reject(new Error(reason));
    if (!this.#admin) return;
    this.#clock.after(this.#restartDelay.died(this.#clock.now()), () => {
      if (this.#stopping) return;
      this.#spawn();
      this.post({
        kind: 'log',
        level: 'error',
        message: 'the control plane died and was restarted',
        detail: { reason },
      });
    });
  }
}
