import type { Dialect } from '../../fleet/glossary.ts';
import type { DialectForm } from './dialect.ts';
import { anthropic } from './anthropic.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';

/** Every dialect's form, by its name. */
export const dialects: Readonly<Record<Dialect, DialectForm>> = { openai, anthropic, ollama };
