import type { Scripted } from './scripted-answers.ts';
import { type ScriptedNode, scriptedNode } from './scripted-node.ts';

// An Ollama as far as its models go: what is on its disk, what is in its memory, and pulls whose every line a test writes.

export interface OllamaPull {
  readonly model: string;
  /** Of this node, from 0. */
  readonly nth: number;
  /** Settles when the router has left. */
  readonly gone: Promise<void>;
  say(line: object): void;
  /** Of a single layer. */
  progress(completed: number, total: number): void;
  /** The model is there from now on. */
  succeed(): void;
  /** Ends the stream without a last word. */
  end(): void;
  /** As a killed process does. */
  breakOff(): void;
}

export interface ScriptedOllama extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly node: ScriptedNode;
  /** Name → size in bytes. */
  readonly disk: Map<string, number>;
  /** Name → the `keep_alive` it was loaded with. */
  readonly memory: Map<string, unknown>;
  readonly pulls: readonly OllamaPull[];
}

export interface OllamaScript {
  readonly disk?: Readonly<Record<string, number>>;
  /** Default: succeeds at once. */
  readonly onPull?: (pull: OllamaPull) => void;
  readonly port?: number;
  /** Before everything else, by path. */
  readonly paths?: Readonly<Record<string, Scripted>>;
}

export async function scriptedOllama(script: OllamaScript = {}): Promise<ScriptedOllama> {
  const disk = new Map(Object.entries(script.disk ?? {}));
  const memory = new Map<string, unknown>();
  const pulls: OllamaPull[] = [];

  const pull: Scripted = (request, { response, socket, gone }) => {
    // Ollama's own JavaScript client writes `name`.
    const { model: written, name } = Object(request.json());
    const model = String(written ?? name);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const say = (line: object): void => void response.write(`${JSON.stringify(line)}\n`);
    const told: OllamaPull = {
      model,
      nth: pulls.length,
      gone,
      say,
      progress: (completed, total) => say({ status: 'pulling 6a0746a1ec1a', digest: 'sha256:6a07', total, completed }),
      succeed: () => {
        disk.set(model, 1000);
        say({ status: 'success' });
        response.end();
      },
      end: () => void response.end(),
      breakOff: () => void socket.resetAndDestroy(),
    };
    pulls.push(told);
    if (script.onPull) script.onPull(told);
    else told.succeed();
  };

  const generate: Scripted = (request, reply) => {
    const { model, keep_alive: keepAlive = '5m' } = Object(request.json());
    if (!disk.has(model)) return reply.json(404, { error: `model '${model}' not found` });
    if (model.includes('embed') && request.path === '/api/generate') {
      return reply.json(400, { error: `"${model}" does not support generate` });
    }
    if (keepAlive === 0) memory.delete(model);
    else memory.set(model, keepAlive);
    reply.json(200, { model, done: true, done_reason: keepAlive === 0 ? 'unload' : 'load' });
  };

  const node = await scriptedNode({
    ...(script.port === undefined ? {} : { port: script.port }),
    paths: {
      '/api/version': (_request, reply) => reply.json(200, { version: '0.12.3' }),
      '/api/tags': (_request, reply) => {
        const models = [...disk].map(([name, size]) => {
          return { name, model: name, size, digest: `d-${name}`, details: { quantization_level: 'Q4_K_M' } };
        });
        reply.json(200, { models });
      },
      '/api/ps': (_request, reply) => reply.json(200, { models: [...memory.keys()].map((name) => ({ name })) }),
      '/api/pull': pull,
      '/api/generate': generate,
      '/api/embed': generate,
      '/v1/models': (_request, reply) =>
        reply.json(200, { data: [...disk.keys()].map((id) => ({ id, owned_by: 'library' })) }),
      ...script.paths,
    },
  });
  const close = (): Promise<void> => node.close();
  return { url: node.url, port: node.port, node, disk, memory, pulls, [Symbol.asyncDispose]: close };
}
