// The words both planes share, one word per thing; docs/path.md shows where each appears on a request's way.

export const engineKinds = ['openai', 'ollama', 'llamacpp', 'vllm', 'sglang', 'lmstudio'] as const;
/** What software serves a node. `openai` is any server that speaks OpenAI's API and is nothing more specific. */
export type EngineKind = (typeof engineKinds)[number];

export const nodeStates = ['starting', 'ready', 'loading', 'offline', 'misconfigured'] as const;
/** What the control plane believes of a node. `starting`: no probe has finished yet. `misconfigured`: it answered 401 or 403 to our key. */
export type NodeState = (typeof nodeStates)[number];

export const policies = ['least-loaded', 'adaptive', 'round-robin', 'power-of-two'] as const;
/** How a node is chosen among the eligible ones. */
export type PolicyName = (typeof policies)[number];

/** The API family a client speaks; it decides the form of errors and where usage is found. */
export type Dialect = 'openai' | 'anthropic' | 'ollama';

/** Names that differ only in the tag `:latest` are one model; this is the name the router keeps it under. */
export function canonicalModel(name: string): string {
  return name.endsWith(':latest') ? name.slice(0, -':latest'.length) : name;
}
