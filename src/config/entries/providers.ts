import { prefixOf, providerNames, type ProviderName } from '../../fleet/glossary.ts';
import type { Problems } from '../problems.ts';
import { providers, providerTable } from '../provider-table.ts';
import { type InForce, lookUp, type Origin, resolveRow, type Sources } from '../resolve.ts';
import { Fields } from './fields.ts';
import { type NodeDraft, readHeaders, readTimeouts } from './nodes.ts';

// Cloud providers. Each becomes a node like any other, named as its prefix is, with the difference that it serves every model of that
// prefix. A provider is there as soon as anything is set of it, so that a key forgotten or unset is an error and not silence.

const FIELDS = ['apiKey', 'baseUrl', 'models', 'maxConcurrent', 'headers', 'timeouts'] as const;

/** Reads `providers` and the variables beside it. */
export function readProviders(sources: Sources, problems: Problems, inForce: InForce[]): readonly NodeDraft[] {
  const section = sectionOf(sources, problems);
  return providerNames.flatMap((name) => {
    const draft = readProvider(name, section, sources, problems, inForce);
    return draft === null ? [] : [draft];
  });
}

function sectionOf({ file }: Sources, problems: Problems): Fields | undefined {
  const tree = file === null ? null : lookUp(file, 'providers');
  if (file === null || tree === null || (tree.kind === 'scalar' && tree.value === null)) return undefined;
  if (tree.kind === 'section') return new Fields(tree, 'providers', providerNames, file.name, problems);
  const example = 'openai: { apiKey: "${OPENAI_API_KEY}" }';
  problems.add('providers', `${file.name}:${tree.line}`, `must be a section; write it as { ${example} }`);
  return undefined;
}

function readProvider(
  name: ProviderName,
  section: Fields | undefined,
  sources: Sources,
  problems: Problems,
  inForce: InForce[],
): NodeDraft | null {
  const fields = section?.section(name, FIELDS);
  const shown: InForce[] = [];
  const rows = providerTable[name];
  const apiKey = resolveRow(rows.apiKey, sources, problems, shown);
  const baseUrl = resolveRow(rows.baseUrl, sources, problems, shown);
  const models = resolveRow(rows.models, sources, problems, shown) ?? [];
  const maxConcurrent = resolveRow(rows.maxConcurrent, sources, problems, shown);
  const isSet = fields !== undefined || shown.some(({ origin }) => origin !== 'default');
  if (!isSet || baseUrl === null || maxConcurrent === null) return null;
  inForce.push(...shown);

  const headers = fields ? readHeaders(fields) : {};
  const timeouts = fields ? readTimeouts(fields) : undefined;
  const origin = shown.find((each) => each.origin !== 'default')?.origin ?? fileOrigin(fields);
  const where = fields ? `${sources.file?.name}:${fields.line}` : null;
  // A server of one's own may want no key, or want it in a header of its own name.
  const isElsewhere = baseUrl !== providers[name].baseUrl;
  if (apiKey === null && !isElsewhere && fields?.has('apiKey') !== true) {
    const variable = `${name.toUpperCase()}_API_KEY`;
    problems.add(`providers.${name}`, where, `has no apiKey; write one, such as apiKey: "\${${variable}}"`);
  }
  return {
    name,
    url: baseUrl,
    engine: name,
    provider: name,
    headers,
    maxConcurrent,
    models: Object.fromEntries(
      models.map((model) => [prefixOf(name) + withoutPrefix(model, name), withoutPrefix(model, name)]),
    ),
    ...(apiKey === null ? {} : { apiKey }),
    ...(timeouts === undefined ? {} : { timeouts }),
    where,
    origin,
    trail: `providers.${name}`,
  };
}

/** People write what clients ask for. */
function withoutPrefix(model: string, name: ProviderName): string {
  return model.startsWith(prefixOf(name)) ? model.slice(prefixOf(name).length) : model;
}

function fileOrigin(fields: Fields | undefined): Origin {
  return fields ? `file:${fields.line}` : 'default';
}
