import type { Dialect } from '../../fleet/glossary.ts';
import type { DialectForm } from './dialect.ts';
import { anthropic } from './anthropic.ts';
import { ollama } from './ollama.ts';
import { openai, responses } from './openai.ts';

/** Every dialect's form, by its name. */
export const dialects: Readonly<Record<Dialect, DialectForm>> = { openai, anthropic, ollama };

/** How an endpoint's client is spoken to. */
export function formOf(dialect: Dialect, path: string): DialectForm {
  return path === '/v1/responses' ? responses : dialects[dialect];
}
