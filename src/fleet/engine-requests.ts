import type { EngineKind } from './glossary.ts';

// Where engines differ in how the same request is put to them: how they want their key, and under which path they have an endpoint.
// Both planes ask, for requests and for probes.

/** The form of Anthropic's API that is asked for where nobody says which is meant. */
const ANTHROPIC_VERSION = ['anthropic-version', '2023-06-01'] as const;

/** What an engine wants to see before it answers at all, beside the headers `given`: name, value, … */
export function accessHeaders(
  engine: EngineKind,
  apiKey: string | null,
  given: Readonly<Record<string, string>>,
): readonly string[] {
  const version = engine === 'anthropic' && !Object.hasOwn(given, ANTHROPIC_VERSION[0]) ? ANTHROPIC_VERSION : [];
  if (apiKey === null) return version;
  return engine === 'anthropic' ? ['x-api-key', apiKey, ...version] : ['authorization', `Bearer ${apiKey}`];
}

/** The engine's own path for one of OpenAI's: `/v1/models` is `/models` at Google, which has a version in its base path. */
export function enginePath(engine: EngineKind, path: string): string {
  return engine === 'google' && path.startsWith('/v1/') ? path.slice('/v1'.length) : path;
}
