import type { Clock } from '../../lib/clock.ts';
import type { ProbeAnswer, ProbeResult } from '../probe.ts';
import { sameMachineUrl } from './node-address.ts';
import type { RegisteredNode } from './registered-node.ts';

// Engines on this machine's usual ports are found by themselves. Only what answers a probe as an engine is added: a port
// that is open proves nothing. What was found stays through an absence, as a registered node does (a restart of Ollama
// must not turn its models into 404s), and goes after a long one.

const EVERY_MS = 10_000;
const FORGET_AFTER_MS = 5 * 60_000;

/** Ollama, vLLM, llama.cpp, SGLang, LM Studio, text-generation-webui and others, Jan, GPT4All, KoboldCpp. */
export const usualPorts = [11434, 8000, 8080, 30000, 1234, 5000, 1337, 4891, 5001] as const;

export interface DiscoveryOptions {
  readonly clock: Clock;
  readonly ports: readonly number[];
  readonly probe: (baseUrl: string) => Promise<ProbeResult>;
  readonly nodes: () => readonly RegisteredNode[];
  readonly onFound: (name: string, url: string, answer: ProbeAnswer) => void;
  readonly onGone: (node: RegisteredNode) => void;
  /** The first look at all ports has ended. */
  readonly onFirstLook: () => void;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #awaySince = new Map<string, number>();
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#look().then(() => this.#options.onFirstLook());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    this.#forget();
    await Promise.all(this.#options.ports.map((port) => this.#lookAt(port)));
    if (!this.#stopped) this.#cancel = this.#options.clock.after(EVERY_MS, () => void this.#look());
  }

  async #lookAt(port: number): Promise<void> {
    const url = `http://127.0.0.1:${port}`;
    if (this.#isRegistered(url)) return;
    const result = await this.#options.probe(url);
    // It may have been registered by hand meanwhile.
    if (result.kind !== 'answered' || this.#stopped || this.#isRegistered(url)) return;
    if (!isWorthFinding(result)) return;
    this.#options.onFound(this.#freeName(`${result.engine}-${port}`), url, result);
  }

  #isRegistered(url: string): boolean {
    // What is reached through a tunnel is on another machine, whatever its URL says.
    return this.#options
      .nodes()
      .some(({ address }) => address.socketPath === undefined && sameMachineUrl(address.origin) === url);
  }

  #freeName(wanted: string): string {
    const taken = new Set(this.#options.nodes().map((node) => node.settings.name));
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1) name = `${wanted}-${count}`;
    return name;
  }

  #forget(): void {
    const now = this.#options.clock.now();
    for (const node of this.#options.nodes()) {
      if (node.managedBy !== 'discovery' || node.foundBy !== null) continue;
      if (node.health.state !== 'offline') {
        this.#awaySince.delete(node.id);
        continue;
      }
      const since = this.#awaySince.get(node.id) ?? now;
      this.#awaySince.set(node.id, since);
      if (now - since < FORGET_AFTER_MS) continue;
      this.#awaySince.delete(node.id);
      this.#options.onGone(node);
    }
  }
}

/** Another router is not found by itself (two that find each other pass requests round), nor is a server with nothing to offer. */
export function isWorthFinding({ engine, version, models }: ProbeAnswer): boolean {
  return engine !== 'openai' || (version !== 'weir' && models !== null && models.length > 0);
}
