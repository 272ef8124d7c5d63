import { readNodeUrl } from '../../control-plane/nodes/node-address.ts';
import { ExchangeError } from '../../http-client/exchange.ts';
import type { HttpClient } from '../../http-client/http-client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { AnswerOf } from '../admin/admin-client.ts';
import { duration } from '../output/figures.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

// Nodes, as the router sees them and as they are reached from here. The two differ where the doctor does not run on the router's machine or
// where something in between treats them differently, and which of the two fails tells where to look.

type Node = AnswerOf<'GET /api/nodes/:id'>;

const WITHIN_MS = 3000;
/** Dates in headers have whole seconds, and an answer takes its time. */
const TOLERATED_SKEW_MS = 5000;
const MAX_BYTES = 4 * 1024 * 1024;

export interface Reached {
  /** Null: it answered. */
  readonly failure: string | null;
  /** Its clock minus ours; null where it does not tell. */
  readonly skewMs: number | null;
}

/** Asks a node for anything at all; any answer will do. */
export async function reach(httpClient: HttpClient, clock: Clock, url: string): Promise<Reached> {
  const { origin, basePath } = readNodeUrl(url);
  const target = { pool: origin, origin, tls: { verify: false }, connectMs: WITHIN_MS };
  const request = { method: 'GET', path: `${basePath}/v1/models`, headers: [], body: null } as const;
  const askedAt = clock.wall();
  try {
    const { headers } = await httpClient.fetch(target, request, { totalMs: WITHIN_MS, maxBytes: MAX_BYTES });
    const date = typeof headers['date'] === 'string' ? Date.parse(headers['date']) : Number.NaN;
    // The date is that of the second it was made in.
    const skewMs = Number.isFinite(date) ? date + 500 - (askedAt + clock.wall()) / 2 : null;
    return { failure: null, skewMs };
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    return { failure: error.message, skewMs: null };
  }
}

/** What is to be said of one node; `reached` null: it is the router's to reach, not ours. */
export function nodeFindings(node: Node, reached: Reached | null): readonly Finding[] {
  const check = `node ${node.name}`;
  return [stateOf(check, node, reached), ...skewOf(check, reached), ...slotsOf(check, node)];
}

/** Of a node that no router looks at yet. */
export function unroutedFindings(name: string, url: string, reached: Reached): readonly Finding[] {
  const check = `node ${name}`;
  const found =
    reached.failure === null
      ? ok(check, `answers at ${url}`)
      : problem(check, `is not reachable from here: ${reached.failure}`, `${LISTENS} Its url: ${url}`);
  return [found, ...skewOf(check, reached)];
}

const LISTENS = 'Is the engine up, and does it listen on an address that others reach (not only 127.0.0.1)?';

function stateOf(check: string, node: Node, reached: Reached | null): Finding {
  const { state, detail, url, draining } = node;
  const fromHere =
    reached === null
      ? ''
      : reached.failure === null
        ? ' From here it answers.'
        : ` From here neither: ${reached.failure}.`;
  switch (state) {
    case 'ready':
      if (draining) return warning(check, 'is drained and gets no requests', `Run: weir nodes resume ${node.name}`);
      if (reached === null || reached.failure === null) return ok(check, `ready, at ${url}`);
      return warning(
        check,
        `ready for the router, but not reachable from here: ${reached.failure}`,
        'This is no trouble where the router runs on another machine.',
      );
    case 'misconfigured':
      return problem(check, detail ?? 'refuses the key it is given', "Set the node's apiKey.");
    case 'offline':
      return problem(
        check,
        `the router does not reach it: ${detail ?? 'no reason known'}.${fromHere}`,
        reached?.failure === null
          ? 'Look at what is between router and node: firewall, container network, a url with localhost in it.'
          : `${LISTENS} Its url: ${url}`,
      );
    case 'starting':
    case 'loading':
      return warning(check, detail ?? 'was not probed yet', 'Wait, and look again.');
    default:
      return state satisfies never;
  }
}

function skewOf(check: string, reached: Reached | null): readonly Finding[] {
  const skewMs = reached?.skewMs ?? 0;
  if (Math.abs(skewMs) <= TOLERATED_SKEW_MS) return [];
  const how = skewMs > 0 ? 'ahead of' : 'behind';
  return [
    warning(
      check,
      `its clock is ${duration(Math.abs(skewMs))} ${how} ours`,
      'Logs of both will not fit together, and keys may end too early or late. Let both follow a time server (NTP).',
    ),
  ];
}

/** One at a time is what some engines do unless told otherwise, and mostly not what was meant. */
function slotsOf(check: string, { slots, maxConcurrent, engine }: Node): readonly Finding[] {
  if (slots !== 1 || maxConcurrent !== null) return [];
  const advice: Readonly<Record<string, string>> = {
    ollama:
      'Where its memory allows, start it with OLLAMA_NUM_PARALLEL=4 and set the same as maxConcurrent of the node.',
    llamacpp: 'Where its memory allows, start llama-server with --parallel 4.',
  };
  return [
    warning(check, 'serves one request at a time', advice[engine ?? ''] ?? 'Set maxConcurrent if it can serve more.'),
  ];
}
