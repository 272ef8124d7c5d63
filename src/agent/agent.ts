import type { AgentBeat, AgentRegistration } from '../fleet/agent-words.ts';
import { BackOff } from './back-off.ts';
import type { EngineState, EngineWatch } from './engine-watch.ts';
import type { LogSource } from './log-source.ts';
import type { MachineReader } from './machine.ts';
import type { RouterLink, Told } from './router-link.ts';
import type { TunnelLoop } from './tunnel-loop.ts';

// The life of an agent: find the engine, register it, tell how things are, and begin anew with whatever part broke. It ends when it is
// told to, or when the router says no in a way that waiting does not change: a token that was revoked, a name that is taken.

const SEARCH_AGAIN_MS = 3000;
const HEARTBEAT_MS = 10_000;
const MOST_UNSENT_LINES = 1000;

export interface AgentOptions {
  readonly link: RouterLink;
  readonly engine: EngineWatch;
  readonly machine: MachineReader;
  readonly log: LogSource | null;
  /** Null where the router reaches the node itself. */
  readonly tunnel: TunnelLoop | null;
  readonly agentVersion: string;
  readonly registrationOf: (engine: EngineState) => AgentRegistration;
  readonly random: () => number;
  /** Ref'd; ends early without an error when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** One line for people. */
  readonly say: (text: string) => void;
}

export type AgentEnd =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

/** Runs until the signal is aborted or the router refuses. */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<AgentEnd> {
  const { link, engine, tunnel, sleep, say } = options;
  const backOff = new BackOff(options.random);
  /** What the router knows of the engine's place. */
  let registeredUrl: string | null = null;
  let heartbeatMs = HEARTBEAT_MS;
  /** Lines that no heartbeat has carried yet. */
  let unsent: readonly string[] = [];
  let said = '';
  const tell = (text: string): void => {
    if (text !== said) say(text);
    said = text;
  };
  while (!signal.aborted) {
    const seen = await engine.look();
    if (!seen) {
      tell('no engine answers on the usual ports of this machine; looking again until one does (or give --engine URL)');
      await sleep(SEARCH_AGAIN_MS, signal);
      continue;
    }
    const isNew = registeredUrl !== seen.url;
    if (options.log) unsent = [...unsent, ...(await options.log.take())].slice(-MOST_UNSENT_LINES);
    const told: Told = isNew
      ? await link.call('register', options.registrationOf(seen))
      : await link.call('heartbeat', await beatOf(options, seen, unsent));
    if (signal.aborted) break;
    if (told.kind === 'refused') {
      // The router forgot the node: it was removed there, or it has another data directory.
      if (told.code === 'unknown_agent' && !isNew) {
        registeredUrl = null;
        continue;
      }
      tunnel?.stop();
      return { kind: 'refused', status: told.status, message: told.message };
    }
    if (told.kind === 'away') {
      tell(`the router cannot be reached: ${told.why}; trying again`);
      await sleep(backOff.failed(), signal);
      continue;
    }
    backOff.succeeded();
    heartbeatMs = positive(told.answer['heartbeatMs']) ?? heartbeatMs;
    if (isNew) {
      registeredUrl = seen.url;
      tunnel?.start();
      tell(registeredText(seen, told.answer, tunnel !== null));
      // The first heartbeat at once: it tells of the machine.
      continue;
    }
    unsent = [];
    tell(
      seen.isReachable
        ? `in touch with the router; ${seen.kind ?? 'the engine'} answers at ${seen.url}`
        : awayText(seen),
    );
    await sleep(heartbeatMs, signal);
  }
  tunnel?.stop();
  return { kind: 'stopped' };
}

async function beatOf(
  { machine, log, agentVersion }: AgentOptions,
  seen: EngineState,
  lines: readonly string[],
): Promise<AgentBeat> {
  return {
    agentVersion,
    machine: await machine.read(),
    engine: { isReachable: seen.isReachable, kind: seen.kind, version: seen.version },
    log: log === null ? null : lines,
  };
}

function registeredText(seen: EngineState, answer: Readonly<Record<string, unknown>>, viaTunnel: boolean): string {
  const state = viaTunnel ? 'reached through the tunnel' : String(answer['state']);
  const waits = answer['draining'] === true ? '; it takes no requests until it is resumed there' : '';
  return `registered ${seen.url} as node ${String(answer['nodeId'])}: ${state}${waits}`;
}

function awayText({ url }: EngineState): string {
  return `no engine answers at ${url}; start it, or give --engine its address`;
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}
