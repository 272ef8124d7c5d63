import { providerNames, type ProviderName } from '../fleet/glossary.ts';
import { readNodeUrl } from './entries/node-names.ts';
import type { Row } from './table.ts';
import { count, list, optional, parsed, word } from './values/kinds.ts';
import { bad, good } from './values/units.ts';

// The settings of cloud providers that are one value each, the same for all of them. They are rows of the table of settings, so that
// each has a variable as well; `headers` and `timeouts` are read in entries/providers.ts. No variable of another program, such as
// OPENAI_API_KEY, is read unless the file names it: a key that lies about must not begin to cost money.

export interface ProviderRows {
  readonly apiKey: Row<string | null>;
  readonly baseUrl: Row<string>;
  readonly models: Row<readonly string[]>;
  readonly maxConcurrent: Row<number>;
}

/** What a provider is called, and where its API is. */
export const providers: Readonly<Record<ProviderName, { readonly title: string; readonly baseUrl: string }>> = {
  openai: { title: 'OpenAI', baseUrl: 'https://api.openai.com' },
  anthropic: { title: 'Anthropic', baseUrl: 'https://api.anthropic.com' },
  google: { title: 'Google', baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai' },
};

const key = optional(word('key'));
const url = parsed('URL', readNodeUrl, String);
const names = list('names', (text) =>
  text.trim() === '' ? bad('is empty; write names of models') : good(text.trim()),
);
const slots = count({ min: 1, max: 100_000 });

function rowsOf(name: ProviderName): ProviderRows {
  const { title, baseUrl } = providers[name];
  return {
    apiKey: {
      path: `providers.${name}.apiKey`,
      kind: key,
      fallback: null,
      doc: `${title}'s key; with it \`${name}:MODEL\` goes there. Best as \`\${NAME}\` in the file.`,
      secret: true,
    },
    baseUrl: {
      path: `providers.${name}.baseUrl`,
      kind: url,
      fallback: baseUrl,
      doc: `Where ${title}'s API is, or another server with the same API.`,
    },
    models: {
      path: `providers.${name}.models`,
      kind: names,
      fallback: '',
      doc: 'Models that lists show, as the provider calls them. Others may be asked for all the same.',
    },
    maxConcurrent: {
      path: `providers.${name}.maxConcurrent`,
      kind: slots,
      fallback: '64',
      doc: 'Slots: requests sent there at the same time; more of them wait.',
    },
  };
}

export const providerTable: Readonly<Record<ProviderName, ProviderRows>> = {
  openai: rowsOf('openai'),
  anthropic: rowsOf('anthropic'),
  google: rowsOf('google'),
};

export const providerRows: readonly Row<unknown>[] = providerNames.flatMap((name) =>
  Object.values(providerTable[name]),
);
