import type { LocalEngineKind } from '../../src/fleet/glossary.ts';

// How the engines differ in what a router can see apart from their own endpoints (faces/). Sources are their default settings:
// uvicorn (vLLM, SGLang) closes idle connections after 5 s without saying so, cpp-httplib (llama.cpp) and Express (LM Studio)
// after 5 s and announce it, Go's server (Ollama) keeps them. Versions of engines change these; options override them.

export interface Profile {
  readonly version: string;
  /** Engine-like response headers, none of which a router may pass on. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long an idle connection is kept, in ms; null for ever. */
  readonly keepAliveMs: number | null;
  /** Whether a `Keep-Alive: timeout=…` header tells of it. */
  readonly announcesKeepAlive: boolean;
  /** Whether each model has the slots for itself (Ollama) or all share them. */
  readonly slotsPerModel: boolean;
  /**
   * What a cold model does to a request. `holds`: loaded by the first request, which gets no headers before. `says-503`: loading from
   * the start, everything answers 503. `absent`: loading from the start, connections are dropped as if nothing listened.
   */
  readonly cold: 'holds' | 'says-503' | 'absent';
  /** When a stream's headers are sent: as the request gets its slot, or with the first token. */
  readonly headAt: 'start' | 'first-token';
  /** Whether the request's `model` decides, or any name gets the one loaded model (llama.cpp). */
  readonly checksModel: boolean;
  readonly ownedBy: string;
}

const uvicorn = { headers: { server: 'uvicorn' }, keepAliveMs: 5000, announcesKeepAlive: false } as const;

export const profiles: Readonly<Record<LocalEngineKind, Profile>> = {
  openai: {
    version: '1.0.0',
    headers: { server: 'nginx/1.28.0', 'x-powered-by': 'sim-openai', 'openai-processing-ms': '12' },
    keepAliveMs: 75_000,
    announcesKeepAlive: false,
    slotsPerModel: false,
    cold: 'holds',
    headAt: 'start',
    checksModel: true,
    ownedBy: 'organization',
  },
  ollama: {
    version: '0.13.1',
    headers: {},
    keepAliveMs: null,
    announcesKeepAlive: false,
    slotsPerModel: true,
    cold: 'holds',
    headAt: 'first-token',
    checksModel: true,
    ownedBy: 'library',
  },
  llamacpp: {
    version: 'b7100-sim',
    headers: { server: 'llama.cpp', 'access-control-allow-origin': '' },
    keepAliveMs: 5000,
    announcesKeepAlive: true,
    slotsPerModel: false,
    cold: 'says-503',
    headAt: 'first-token',
    checksModel: false,
    ownedBy: 'llamacpp',
  },
  vllm: {
    ...uvicorn,
    version: '0.11.2',
    slotsPerModel: false,
    cold: 'absent',
    headAt: 'start',
    checksModel: true,
    ownedBy: 'vllm',
  },
  sglang: {
    ...uvicorn,
    version: '0.5.5',
    slotsPerModel: false,
    cold: 'absent',
    headAt: 'start',
    checksModel: false,
    ownedBy: 'sglang',
  },
  lmstudio: {
    version: '0.3.31',
    headers: { 'x-powered-by': 'Express', 'access-control-allow-origin': '*' },
    keepAliveMs: 5000,
    announcesKeepAlive: true,
    slotsPerModel: false,
    cold: 'holds',
    headAt: 'start',
    checksModel: true,
    ownedBy: 'organization_owner',
  },
};
