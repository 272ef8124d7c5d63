// The words both planes share, one word per thing; docs/path.md shows where each appears on a request's way.

/** What people run on machines of their own. */
export const localEngineKinds = ['openai', 'ollama', 'llamacpp', 'vllm', 'sglang', 'lmstudio'] as const;
export type LocalEngineKind = (typeof localEngineKinds)[number];

export const engineKinds = [...localEngineKinds, 'anthropic', 'google'] as const;
/**
 * What software serves a node. `openai` is any server that speaks OpenAI's API and is nothing more specific, OpenAI itself too;
 * `anthropic` speaks the API of that name; `google` is that company's OpenAI-compatible surface.
 */
export type EngineKind = (typeof engineKinds)[number];

export const providerNames = ['openai', 'anthropic', 'google'] as const;
/** A cloud provider; models whose names begin with its own and a colon go there. */
export type ProviderName = (typeof providerNames)[number];

/** What the names of a provider's models begin with. */
export function prefixOf(provider: ProviderName): string {
  return `${provider}:`;
}

export const nodeStates = ['starting', 'ready', 'loading', 'offline', 'misconfigured'] as const;
/** What the control plane believes of a node. `starting`: no probe has finished yet. `misconfigured`: it answered 401 or 403 to our key. */
export type NodeState = (typeof nodeStates)[number];

export const policies = ['least-loaded', 'adaptive', 'round-robin', 'power-of-two'] as const;
/** How a node is chosen among the eligible ones. */
export type PolicyName = (typeof policies)[number];

export const priorities = ['high', 'normal', 'low'] as const;
/** How soon a request's turn comes among those that wait; the most urgent first. */
export type Priority = (typeof priorities)[number];

/** The API family a client speaks; it decides the form of errors and where usage is found. */
export type Dialect = 'openai' | 'anthropic' | 'ollama';

/** Names that differ only in the tag `:latest` are one model; this is the name the router keeps it under. */
export function canonicalModel(name: string): string {
  return name.endsWith(':latest') ? name.slice(0, -':latest'.length) : name;
}
