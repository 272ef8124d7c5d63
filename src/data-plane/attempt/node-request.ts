import { accessHeaders, enginePath } from '../../fleet/engine-requests.ts';
import { canonicalModel } from '../../fleet/glossary.ts';
import type { Settings, Timeouts } from '../../fleet/settings.ts';
import type { NodeSnapshot } from '../../fleet/snapshot.ts';
import type { ExchangeRequest, PacedBody, Target } from '../../http-client/exchange.ts';

// What goes out to a node, and where to. Of a client's headers only the content type, `accept`, the trace context and the dialect's own version headers cross: its key is
// ours to check and not the node's to see, and hop-by-hop fields (RFC 9110, 7.6.1) end here. What is the same for every request
// to a node is prepared once per snapshot.

export interface Forwarded {
  readonly requestId: string;
  readonly path: string;
  readonly contentType: string;
  readonly accept: string | undefined;
  readonly traceparent: string | null;
  /** What else of the client's headers the endpoint asks for: name, value, … */
  readonly more: readonly string[] | null;
  readonly body: Buffer | PacedBody;
}

/** One node as requests are sent to it. */
export class NodeDoor {
  /** Where it is dialled. */
  readonly target: Target;
  readonly #modelTimeouts: Settings['modelTimeouts'];
  readonly #nodeTimeouts: NodeSnapshot['timeouts'];
  readonly #timeouts: Timeouts;
  readonly #engine: NodeSnapshot['engine'];
  readonly #basePath: string;
  /** Its key and the headers that its operator wants: name, value, … */
  readonly #headers: readonly string[];

  constructor(node: NodeSnapshot, { timeouts, modelTimeouts }: Pick<Settings, 'timeouts' | 'modelTimeouts'>) {
    const { origin, pathname } = new URL(node.baseUrl);
    const connectMs = node.timeouts.connectMs ?? timeouts.connectMs;
    const { socketPath } = node;
    const place = socketPath === undefined ? { origin } : { origin, socketPath };
    this.target = { pool: poolOf(node), ...place, tls: node.tls, connectMs };
    this.#modelTimeouts = modelTimeouts;
    this.#nodeTimeouts = node.timeouts;
    this.#timeouts = { ...timeouts, ...node.timeouts };
    this.#basePath = pathname.replace(/\/$/, '');
    this.#engine = node.engine;
    const own = [...accessHeaders(node.engine, node.apiKey, node.headers), ...Object.entries(node.headers).flat()];
    this.#headers = ['accept-encoding', 'identity', ...own];
  }

  /** The router's time-outs, over them the model's, over them the node's. */
  timeoutsFor(model: string): Timeouts {
    const ofModel = this.#modelTimeouts[canonicalModel(model)];
    return ofModel ? { ...this.#timeouts, ...ofModel, ...this.#nodeTimeouts } : this.#timeouts;
  }

  request({ requestId, path, contentType, accept, traceparent, more, body }: Forwarded): ExchangeRequest {
    const headers = ['content-type', contentType, 'x-request-id', requestId];
    if (accept !== undefined) headers.push('accept', accept);
    if (traceparent !== null) headers.push('traceparent', traceparent);
    if (more === null) headers.push(...this.#headers);
    else addOver(this.#headers, more, headers);
    return { method: 'POST', path: this.#basePath + enginePath(this.#engine, path), headers, body };
  }
}

/** The doors of a snapshot's nodes, each made when it is first used. */
export class NodeDoors {
  readonly #settings: Pick<Settings, 'timeouts' | 'modelTimeouts'>;
  readonly #doors = new WeakMap<NodeSnapshot, NodeDoor>();

  constructor(settings: Pick<Settings, 'timeouts' | 'modelTimeouts'>) {
    this.#settings = settings;
  }

  to(node: NodeSnapshot): NodeDoor {
    let door = this.#doors.get(node);
    if (!door) {
      door = new NodeDoor(node, this.#settings);
      this.#doors.set(node, door);
    }
    return door;
  }
}

/** Adds the headers of both, of those with the same name the client's. */
function addOver(own: readonly string[], more: readonly string[], headers: string[]): void {
  headers.push(...more);
  for (let at = 0; at < own.length; at += 2) {
    const [name = '', value = ''] = own.slice(at, at + 2);
    if (!more.includes(name)) headers.push(name, value);
  }
}

/** The name of a node's pool; a node registered anew gets a new one. */
export function poolOf(node: NodeSnapshot): string {
  return `${node.id}/${node.generation}`;
}
