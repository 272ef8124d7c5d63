import type { EngineKind } from '../../src/fleet/glossary.ts';
import { fetched, type FetchedClient } from '../../tools/clients/pins.ts';

// Which clients are held to the router, and what about each is not as one would hope. Every row has a test file beside this one,
// which fails where a row says too much; docs/compatibility.md is made from it and from the versions in package-lock.json.

/** What is tried with each client. */
export const operations = {
  chat: 'a whole answer',
  stream: 'a streamed answer arrives piece by piece',
  tools: 'a tool call arrives, and its result goes back',
  refusal: "an unknown model and a wrong key are its own errors, with the router's status and sentence",
  wait: 'an answer that had to wait for a slot',
  retry: 'it retries a 503 by itself, not before the time it was told',
  broken: 'a stream that breaks is an error, not a short answer',
  abort: 'leaving a stream ends the work on the node',
} as const;

export type Operation = keyof typeof operations;

/** What clients of an endpoint are tried on: nodes that speak its dialect themselves first, then those it is translated for. */
export const nodesFor = {
  '/v1/chat/completions': ['openai', 'anthropic'],
  '/v1/responses': ['openai', 'google'],
  '/v1/messages': ['vllm', 'openai', 'anthropic'],
  '/api/chat': ['ollama', 'openai', 'anthropic'],
} as const satisfies Record<string, readonly [EngineKind, ...EngineKind[]]>;

export interface ClientRow {
  /** As in docs/compatibility.md. */
  readonly name: string;
  /** Where it is none of package.json's. */
  readonly fetched: FetchedClient | null;
  /** Its packages, the first of them the one whose version is told. */
  readonly packages: readonly [string, ...string[]];
  /** The endpoint it uses. */
  readonly path: keyof typeof nodesFor;
  /** The operations that the client itself does not do, and what it does instead. */
  readonly lacks: Partial<Readonly<Record<Operation, string>>>;
}

const row = (
  name: string,
  packages: ClientRow['packages'],
  path: ClientRow['path'],
  lacks: ClientRow['lacks'] = {},
): ClientRow => ({ name, packages, path, lacks, fetched: null });

/** Two ways to retry otherwise than it was told. */
export const NO_RETRY = 'it retries nothing; its error has the status';
export const OWN_WAIT = 'it retries after a wait of its own, whatever it was told';

export const clients = {
  openai: row('OpenAI, chat', ['openai'], '/v1/chat/completions'),
  openaiResponses: row('OpenAI, responses', ['openai'], '/v1/responses'),
  pythonOpenai: { ...row('OpenAI for Python', ['openai'], '/v1/chat/completions'), fetched: fetched.pythonOpenai },
  anthropic: row('Anthropic', ['@anthropic-ai/sdk'], '/v1/messages'),
  ollama: row('Ollama', ['ollama'], '/api/chat', { retry: NO_RETRY }),
  aiOpenai: row('Vercel AI SDK, OpenAI-compatible', ['@ai-sdk/openai-compatible', 'ai'], '/v1/chat/completions'),
  aiAnthropic: row('Vercel AI SDK, Anthropic', ['@ai-sdk/anthropic', 'ai'], '/v1/messages'),
  aiOllama: row('Vercel AI SDK, Ollama', ['ollama-ai-provider-v2', 'ai'], '/api/chat', {
    refusal:
      "it tells the status, and the status' own phrase in place of the sentence, as it does with Ollama's errors",
    broken: "it skips an error within a stream, Ollama's own too, and ends with what it has",
  }),
  langchain: row('LangChain', ['@langchain/openai', '@langchain/core'], '/v1/chat/completions', {
    retry: OWN_WAIT,
  }),
  agents: row('OpenAI Agents', ['@openai/agents'], '/v1/responses'),
} as const satisfies Record<string, ClientRow>;

export type AgentName = Exclude<keyof typeof fetched, 'pythonOpenai'>;

export interface AgentRow {
  readonly client: AgentName;
  readonly path: ClientRow['path'];
  readonly nodes: readonly EngineKind[];
  /** What its user must set. */
  readonly needs: string | null;
}

/** Coding agents, each in a session in which the model writes a file by one of the agent's tools. */
export const agents: readonly AgentRow[] = [
  { client: 'claudeCode', path: '/v1/messages', nodes: nodesFor['/v1/messages'], needs: null },
  {
    client: 'codex',
    path: '/v1/responses',
    nodes: nodesFor['/v1/responses'],
    needs: 'on nodes that are told in chat (google): `web_search="disabled"`, since that is a tool of the provider',
  },
  { client: 'pi', path: '/v1/chat/completions', nodes: nodesFor['/v1/chat/completions'], needs: null },
];
