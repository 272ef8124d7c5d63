import { Worker } from 'node:worker_threads';
import type { FromListenerThread, ListenerStart, ToListenerThread } from './agent-listener/messages.ts';
import type { FromAgentListener, ToAgentListener } from './fleet/agent-messages.ts';
import type { Settings } from './fleet/settings.ts';
import type { Clock } from './lib/clock.ts';
import { RestartDelay } from './lib/restart-delay.ts';

// The thread of the agents' listener, seen from the main thread: started where `agents.listen` is set, and restarted when it dies;
// the agents dial again. Messages between it and the control plane pass here, a few per agent and heartbeat.

const STOP_WITHIN_MS = 2000;

export interface AgentListenerHostOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  /** To the control plane; false while there is none. */
  readonly tell: (told: FromAgentListener) => boolean;
}

export class AgentListenerHost {
  readonly #options: AgentListenerHostOptions;
  readonly #delay = new RestartDelay();
  readonly #started = Promise.withResolvers<string | null>();
  #worker: Worker | null = null;
  #port = 0;
  #stopping: (() => void) | null = null;

  constructor(options: AgentListenerHostOptions) {
    this.#options = options;
  }

  /** Resolves with the listener's URL, null where none is wanted; rejects with one sentence for people. */
  start(): Promise<string | null> {
    const { listen } = this.#options.settings.agents;
    if (listen === null) return Promise.resolve(null);
    this.#port = listen.port;
    this.#spawn(listen.host);
    return this.#started.promise;
  }

  post(told: ToAgentListener): void {
    this.#send(told);
  }

  /** Ends the listener and its tunnels. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopping = resolve;
    if (!worker) return;
    const cancel = this.#options.clock.after(STOP_WITHIN_MS, resolve);
    this.#send({ kind: 'stop' });
    await promise;
    cancel();
    await worker.terminate();
  }

  #send(message: ToListenerThread): void {
    this.#worker?.postMessage(message);
  }

  #spawn(host: string): void {
    const { clock, settings } = this.#options;
    const { tls } = settings.agents;
    const start: ListenerStart = { listen: { host, port: this.#port }, tls, dataDir: settings.dataDir };
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./agent-listener/worker.${extension}`, import.meta.url), { workerData: start });
    this.#worker = worker;
    this.#delay.started(clock.now());
    let reason = 'the listener of agents ended without a reason';
    worker.on('message', (message: FromListenerThread) => {
      if (message.kind === 'failed') reason = message.message;
      if (this.#worker === worker) this.#receive(message);
    });
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      if (this.#stopping) return this.#stopping();
      // Before it ever listened, its end is the router's.
      this.#started.reject(new Error(reason));
      clock.after(this.#delay.died(clock.now()), () => {
        if (!this.#stopping && this.#port !== 0) this.#spawn(host);
      });
    });
  }

  #receive(message: FromListenerThread): void {
    switch (message.kind) {
      case 'listening':
        this.#port = message.port;
        this.#started.resolve(message.url);
        return;
      case 'failed':
        this.#started.reject(new Error(message.message));
        return;
      case 'told': {
        const { told } = message;
        if (this.#options.tell(told) || told.kind !== 'call') return;
        const body = { error: { code: 'unavailable', message: 'The router is starting again. Try again soon.' } };
        this.#send({ kind: 'reply', question: told.question, reply: { status: 503, body } });
        return;
      }
      case 'stopped':
        this.#stopping?.();
    }
  }
}
