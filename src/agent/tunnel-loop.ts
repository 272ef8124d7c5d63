import { agentPaths, TUNNEL_PROTOCOL } from '../fleet/agent-words.ts';
import type { Clock } from '../lib/clock.ts';
import { type FarEnd, openFarEnd, TunnelRefused } from '../tunnel/far-end.ts';
import { BackOff } from './back-off.ts';
import type { RouterLink } from './router-link.ts';

export interface TunnelLoopOptions {
  readonly router: URL;
  readonly ca: string | null;
  readonly link: RouterLink;
  /** The engine's URL now. */
  readonly engineUrl: () => string | null;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ref'd; ends early without an error when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly say: (text: string) => void;
}

/** Keeps a tunnel open: whenever it is gone it is dialled again. */
export class TunnelLoop {
  readonly #options: TunnelLoopOptions;
  #stopping: AbortController | null = null;
  #open: FarEnd | null = null;

  constructor(options: TunnelLoopOptions) {
    this.#options = options;
  }

  /** Begins; does nothing where it has begun. */
  start(): void {
    if (this.#stopping) return;
    this.#stopping = new AbortController();
    void this.#run(this.#stopping.signal);
  }

  stop(): void {
    this.#stopping?.abort();
    this.#stopping = null;
    this.#open?.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { random, sleep, say } = this.#options;
    const backOff = new BackOff(random);
    let why = '';
    while (!signal.aborted) {
      const opened = await this.#dial();
      if (typeof opened === 'string') {
        if (opened !== why) say(`the tunnel cannot be opened: ${opened}; trying again`);
        why = opened;
      } else if (signal.aborted) {
        opened.close();
      } else {
        why = '';
        backOff.succeeded();
        say('the tunnel is open');
        this.#open = opened;
        await opened.ended;
        this.#open = null;
        if (!signal.aborted) say('the tunnel broke; opening it again');
      }
      await sleep(backOff.failed(), signal);
    }
  }

  /** Why it could not be opened, as text. */
  async #dial(): Promise<FarEnd | string> {
    const { router, ca, link, engineUrl, clock } = this.#options;
    try {
      return await openFarEnd({
        router,
        path: agentPaths.tunnel,
        headers: link.headers,
        protocol: TUNNEL_PROTOCOL,
        ca,
        engine: () => placeOf(engineUrl()),
        clock,
      });
    } catch (error) {
      if (error instanceof TunnelRefused) return `${error.message}: ${error.text.trim()}`;
      if (error instanceof Error) return error.message;
      throw error;
    }
  }
}

function placeOf(url: string | null): { readonly host: string; readonly port: number } {
  const { protocol, hostname, port } = new URL(url ?? 'http://127.0.0.1');
  const usual = protocol === 'https:' ? 443 : 80;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? usual : Number(port) };
}
