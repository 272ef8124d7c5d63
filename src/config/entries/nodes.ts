import { readFileSync } from 'node:fs';
import { validateHeaderName, validateHeaderValue } from '../../lib/node-http.ts';
import { canonicalModel, engineKinds } from '../../fleet/glossary.ts';
import { isOwnHeader } from '../../fleet/own-headers.ts';
import type { NodeSettings, NodeTimeouts, NodeTls } from '../../fleet/settings.ts';
import type { Environment } from '../sources/environment.ts';
import type { SourceFile } from '../sources/tree.ts';
import type { Problems } from '../problems.ts';
import { lookUp, type Origin, toAbsolute } from '../resolve.ts';
import { choice, count, flag, line, parsed } from '../values/kinds.ts';
import { entriesOf, type Fields } from './fields.ts';
import { phases, readPhases } from './model-timeouts.ts';
import { checkName, readNodeUrl } from './node-names.ts';
import { readUpkeep, upkeepFields } from './node-upkeep.ts';

/** What may be said of several nodes at once. */
export const traitFields = [
  'engine',
  'maxConcurrent',
  'apiKey',
  'headers',
  'models',
  'timeouts',
  ...upkeepFields,
] as const;
const FIELDS = ['url', 'name', 'tls', ...traitFields] as const;
const url = parsed('URL', readNodeUrl, String);
const engine = choice(['auto', ...engineKinds]);
/** A node as found in some source; without a name it gets one when all are known. */
export interface NodeDraft extends Omit<NodeSettings, 'name'> {
  readonly name: string | null;
  /** The source for messages, where the trail does not say it. */
  readonly where: string | null;
  readonly origin: Origin;
  readonly trail: string;
}

/** Reads the file's `nodes`. Certificates are read here, so that a wrong path is told at start. */
export function readNodes(file: SourceFile, env: Environment, problems: Problems): readonly NodeDraft[] {
  const drafts: NodeDraft[] = [];
  for (const fields of entriesOf(lookUp(file, 'nodes'), 'nodes', FIELDS, file.name, problems)) {
    const draft = readNode(fields, file, env);
    if (draft !== null) drafts.push(draft);
  }
  return drafts;
}

function readNode(fields: Fields, file: SourceFile, env: Environment): NodeDraft | null {
  const name = fields.scalar('name', line('name', checkName));
  const address = fields.scalar('url', url);
  const traits = readTraits(fields);
  const tls = readTls(fields, file, env);
  if (!fields.has('url')) fields.problem(null, 'has no url; write one such as url: "http://10.0.0.5:8000"');
  if (address === undefined) return null;
  return {
    name: name ?? null,
    url: address,
    ...traits,
    ...(tls === undefined ? {} : { tls }),
    where: `${file.name}:${fields.line}`,
    origin: `file:${fields.line}`,
    trail: fields.trail,
  };
}

/** Reads what does not say which node it is. */
export function readTraits(fields: Fields): Omit<NodeSettings, 'name' | 'url'> {
  const maxConcurrent = fields.scalar('maxConcurrent', count({ min: 1, max: 100_000 }));
  const apiKey = fields.scalar('apiKey', line('key', checkHeaderValue));
  const headers = readHeaders(fields);
  const models = readModels(fields);
  const timeouts = readTimeouts(fields);
  return {
    engine: fields.scalar('engine', engine) ?? 'auto',
    headers,
    ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(models === undefined ? {} : { models }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...readUpkeep(fields),
  };
}

/** A node's `headers`, in lower case. */
export function readHeaders(fields: Fields): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields.texts('headers', line('header', checkHeaderValue)) ?? []) {
    const problem = checkHeaderName(name);
    if (problem === null) headers[name.toLowerCase()] = value;
    else fields.problem(`headers.${name}`, problem, fields.tree('headers')?.line);
  }
  return headers;
}

function checkHeaderName(name: string): string | null {
  if (isOwnHeader(name)) return 'the router sets this header itself; remove it';
  try {
    validateHeaderName(name);
    return null;
  } catch {
    return `"${name}" is not a header's name; write letters, digits and hyphens`;
  }
}

function checkHeaderValue(value: string): string | null {
  try {
    validateHeaderValue('x', value);
    return null;
  } catch {
    return 'has characters that a header may not hold (a line break?); write one line of ASCII';
  }
}

function readModels(fields: Fields): Readonly<Record<string, string>> | undefined {
  const tree = fields.tree('models');
  if (tree === undefined) return undefined;
  const model = line('model');
  if (tree.kind === 'scalar') {
    fields.problem('models', 'is neither a list nor a map; write [name] or { name: "the engine\'s own name" }');
    return undefined;
  }
  const pairs =
    tree.kind === 'list'
      ? (fields.list('models', model) ?? []).map((name): [string, string] => [name, name])
      : [...(fields.texts('models', model) ?? [])];
  if (pairs.length === 0) {
    fields.problem('models', "is empty; list at least one model, or remove it to offer the node's own list");
  }
  const seen = new Map<string, string>();
  for (const [name] of pairs) {
    const other = seen.get(canonicalModel(name));
    if (other !== undefined) fields.problem('models', `"${other}" and "${name}" are the same model; keep one of them`);
    seen.set(canonicalModel(name), name);
  }
  return Object.fromEntries(pairs);
}

/** A node's `timeouts`. */
export function readTimeouts(fields: Fields): NodeTimeouts | undefined {
  const section = fields.section('timeouts', phases);
  return section === undefined ? undefined : readPhases(section);
}

function readTls(fields: Fields, file: SourceFile, env: Environment): NodeTls | undefined {
  const section = fields.section('tls', ['ca', 'cert', 'key', 'verify']);
  if (section === undefined) return undefined;
  const read = (name: string): string | undefined => {
    const path = section.scalar(name, line('path'));
    if (path === undefined) return undefined;
    try {
      const text = readFileSync(toAbsolute(path, file.directory, env), 'utf8');
      if (text.includes('-----BEGIN ')) return text;
      section.problem(name, `"${path}" is not a PEM file; name one that starts with -----BEGIN`);
    } catch {
      section.problem(name, `"${path}" cannot be read; write the path of a PEM file that this user may read`);
    }
    return undefined;
  };
  const [ca, cert, key] = [read('ca'), read('cert'), read('key')];
  const verify = section.scalar('verify', flag);
  if (section.has('cert') !== section.has('key'))
    section.problem(null, 'needs cert and key together; add the other or remove both');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(verify === undefined ? {} : { verify }),
  };
}
