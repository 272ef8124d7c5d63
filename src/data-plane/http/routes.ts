import type { Dialect } from '../../fleet/glossary.ts';
import type { CommandName } from '../../fleet/messages.ts';
import type { Speech } from '../spoken.ts';

// The clients' endpoints. A path decides the dialect, so that even a refusal before the body is read has the right form.

/** An endpoint at which a node answers. */
export interface NodeRoute {
  readonly kind: 'inference' | 'command';
  readonly dialect: Dialect;
  readonly path: string;
  /** What its nodes must speak; null where all do. */
  readonly speech: Speech | null;
  /** `any`: audio, images or text too, relayed as they are. */
  readonly answer: 'json' | 'any';
  /** The body may be a form with files, with `model` as one of its fields. */
  readonly takesForm: boolean;
  /** False for a question that makes no engine compute. */
  readonly takesSlot: boolean;
  /** It asks what a model is: a node's words are told again without what is the node's own; without any the router tells what it knows. */
  readonly isAboutModel: boolean;
}

/** An endpoint at which engines compute, or tell of what they would. */
export interface InferenceRoute extends NodeRoute {
  readonly kind: 'inference';
}

/** A command of Ollama's that changes a node. */
export interface CommandRoute extends NodeRoute {
  readonly kind: 'command';
  readonly command: CommandName;
  readonly method: 'POST' | 'DELETE';
  /** It takes as long as a download does, and tells how far it is unless told not to. */
  readonly hasProgress: boolean;
}

export type Route =
  | InferenceRoute
  | CommandRoute
  | { readonly kind: 'models' }
  | { readonly kind: 'ollama-tags' }
  | { readonly kind: 'ollama-ps' }
  | { readonly kind: 'ollama-version' }
  | { readonly kind: 'model'; readonly id: string }
  /** Ollama's command line asks whether there is anybody before everything else. */
  | { readonly kind: 'greeting' }
  | { readonly kind: 'healthz' }
  | { readonly kind: 'readyz' }
  | { readonly kind: 'options'; readonly allow: string }
  | { readonly kind: 'wrong-method'; readonly dialect: Dialect; readonly allow: string }
  | { readonly kind: 'not-found'; readonly dialect: Dialect }
  | { readonly kind: 'no-host' };

interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly route: Route;
}

const inference = (
  dialect: Dialect,
  path: string,
  speech: Speech | null = null,
  answer: NodeRoute['answer'] = 'json',
): [string, Endpoint] => [
  path,
  {
    method: 'POST',
    route: { kind: 'inference', dialect, path, speech, answer, takesForm: false, takesSlot: true, isAboutModel: false },
  },
];

const question = (dialect: Dialect, path: string, speech: Speech, isAboutModel = false): [string, Endpoint] => [
  path,
  {
    method: 'POST',
    route: {
      kind: 'inference',
      dialect,
      path,
      speech,
      answer: 'json',
      takesForm: false,
      takesSlot: false,
      isAboutModel,
    },
  },
];

const upload = (path: string, speech: Speech): [string, Endpoint] => [
  path,
  {
    method: 'POST',
    route: {
      kind: 'inference',
      dialect: 'openai',
      path,
      speech,
      answer: 'any',
      takesForm: true,
      takesSlot: true,
      isAboutModel: false,
    },
  },
];

const command = (name: CommandName, method: 'POST' | 'DELETE', hasProgress: boolean): [string, Endpoint] => [
  `/api/${name}`,
  {
    method,
    route: {
      kind: 'command',
      command: name,
      method,
      hasProgress,
      dialect: 'ollama',
      path: `/api/${name}`,
      speech: 'ollama',
      answer: 'json',
      takesForm: false,
      takesSlot: false,
      isAboutModel: false,
    },
  },
];

const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  inference('openai', '/v1/chat/completions'),
  inference('openai', '/v1/completions'),
  inference('openai', '/v1/embeddings'),
  inference('openai', '/v1/responses', 'responses'),
  inference('openai', '/v1/rerank', 'rerank'),
  inference('openai', '/v1/moderations', 'moderations'),
  inference('openai', '/v1/images/generations', 'images'),
  inference('openai', '/v1/audio/speech', 'speech', 'any'),
  upload('/v1/audio/transcriptions', 'transcriptions'),
  upload('/v1/audio/translations', 'translations'),
  upload('/v1/images/edits', 'images'),
  upload('/v1/images/variations', 'images'),
  inference('anthropic', '/v1/messages', 'messages'),
  question('anthropic', '/v1/messages/count_tokens', 'count-tokens'),
  inference('ollama', '/api/chat', 'ollama'),
  inference('ollama', '/api/generate', 'ollama'),
  inference('ollama', '/api/embed', 'ollama'),
  inference('ollama', '/api/embeddings', 'ollama'),
  question('ollama', '/api/show', 'ollama', true),
  ['/v1/models', { method: 'GET', route: { kind: 'models' } }],
  ['/api/tags', { method: 'GET', route: { kind: 'ollama-tags' } }],
  ['/api/ps', { method: 'GET', route: { kind: 'ollama-ps' } }],
  ['/api/version', { method: 'GET', route: { kind: 'ollama-version' } }],
  command('pull', 'POST', true),
  command('push', 'POST', true),
  command('create', 'POST', true),
  command('copy', 'POST', false),
  command('delete', 'DELETE', false),
  ['/healthz', { method: 'GET', route: { kind: 'healthz' } }],
  ['/readyz', { method: 'GET', route: { kind: 'readyz' } }],
]);

const MODEL_PREFIX = '/v1/models/';

/** Finds the endpoint for a method and a request target; the query is ignored. */
export function findRoute(method: string, target: string): Route {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (method === 'OPTIONS' && path === '*') return { kind: 'options', allow: 'GET, HEAD, POST, OPTIONS' };
  if (method === 'HEAD' && path === '/') return { kind: 'greeting' };
  const endpoint = endpoints.get(path) ?? modelEndpoint(path);
  if (!endpoint) return { kind: 'not-found', dialect: dialectOf(path) };
  const allowed = endpoint.method === method || (endpoint.method === 'GET' && method === 'HEAD');
  if (allowed) return endpoint.route;
  const allow = endpoint.method === 'GET' ? 'GET, HEAD' : endpoint.method;
  if (method === 'OPTIONS') return { kind: 'options', allow: `${allow}, OPTIONS` };
  return { kind: 'wrong-method', dialect: dialectOf(path), allow };
}

/** Model ids contain slashes, plain or percent-encoded. */
function modelEndpoint(path: string): Endpoint | undefined {
  if (!path.startsWith(MODEL_PREFIX) || path.length === MODEL_PREFIX.length) return undefined;
  try {
    return { method: 'GET', route: { kind: 'model', id: decodeURIComponent(path.slice(MODEL_PREFIX.length)) } };
  } catch {
    return undefined;
  }
}

function dialectOf(path: string): Dialect {
  if (path.startsWith('/api/')) return 'ollama';
  return path.startsWith('/v1/messages') ? 'anthropic' : 'openai';
}
