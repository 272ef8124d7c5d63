import { z } from 'zod';
import type { Endpoint, Endpoints } from './endpoint.ts';

// The description of the admin API for programs, OpenAPI 3.1, made from the schemas that validate. Schemas with a name (`meta({ id })`)
// become components, so that generators of clients give them that name. Objects in answers are left open although the schemas are
// not: a client must not break on a field that a later version adds.

type Json = Readonly<Record<string, unknown>>;

/** The document, ready for JSON. */
export function openApiDocument(endpoints: Endpoints, version: string): Json {
  const components: Record<string, unknown> = {};
  const paths: Record<string, Record<string, Json>> = {};
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const { $schema: _$schema, $defs, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [id, definition] of Object.entries($defs ?? {})) {
      components[id] = shared(definition, io);
    }
    return shared(own, io);
  };
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const [method = '', pattern = ''] = name.split(' ');
    const path = pattern.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[method.toLowerCase()] = operation(endpoint, method, pattern, schemaOf);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Weir admin API',
      version,
      description: 'For administrators: nodes, models, keys, history and state of one router.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Error: schemaOf(error, 'output'), ...components },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The admin token' } },
    },
  };
}

const error = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function operation(
  endpoint: Endpoint,
  method: string,
  pattern: string,
  schemaOf: (schema: z.ZodType, io: 'input' | 'output') => Json,
): Json {
  const { tag, summary, description, params, query, body, status, answer, event, contentType, refusals } = endpoint;
  const names = [...pattern.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const parameters = [
    ...names.map((name) => {
      return { name, in: 'path', required: true, description: params?.[name] ?? name, schema: { type: 'string' } };
    }),
    ...queryParameters(query ? schemaOf(query, 'input') : {}),
  ];
  const content = answer && {
    [contentType ?? 'application/json']: { schema: schemaOf(answer, 'output') },
    ...(event ? { 'text/event-stream': eventStream(schemaOf(event, 'output')) } : {}),
  };
  const success = { description: content ? 'Done' : 'Done; no body', ...(content ? { content } : {}) };
  const refused = [401, ...((body ?? query) ? [400] : []), ...(refusals ?? [])].toSorted((one, other) => one - other);
  return {
    operationId: operationId(method, pattern),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } }
      : {}),
    responses: Object.fromEntries([
      ...status.map((code) => [code, success]),
      ...refused.map((code) => [code, refusal(code)]),
    ]),
  };
}

/** OpenAPI 3.1 has no word for the form of events; a schema of their data is what generators and people can use. */
function eventStream(data: Json): Json {
  return { schema: { type: 'string', contentMediaType: 'application/json', contentSchema: data } };
}

function queryParameters(schema: Json): readonly Json[] {
  return Object.entries(fieldsOf(schema['properties'])).map(([name, each]) => {
    const { description, ...rest } = fieldsOf(each);
    return { name, in: 'query', required: false, description: description ?? name, schema: rest };
  });
}

const meanings: Readonly<Record<number, string>> = {
  400: 'The input is not usable; the message names every wrong field',
  401: 'No token, or a wrong one',
  404: 'There is no such thing',
  409: 'It contradicts what there is',
  413: 'The body is too large',
  422: 'It cannot be done with this engine',
  429: 'Too many at the same time',
  502: 'What had to be asked did not answer as it should',
  503: 'It cannot be done at present',
  504: 'What had to be asked did not answer in time',
};

function refusal(status: number): Json {
  const schema = { $ref: '#/components/schemas/Error' };
  return { description: meanings[status] ?? 'Refused', content: { 'application/json': { schema } } };
}

/** `POST /api/nodes/:id/drain` → `postNodesDrain`, `GET /api/nodes/:id` → `getNodesById`. */
function operationId(method: string, pattern: string): string {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== 'api');
  const words = parts.map((part, at) => {
    if (!part.startsWith(':')) return part.replace(/\..*$/, '');
    return at === parts.length - 1 ? `by-${part.slice(1)}` : '';
  });
  return [method.toLowerCase(), ...words.flatMap((part) => part.split('-'))]
    .map((word, at) => (at === 0 ? word : word.slice(0, 1).toUpperCase() + word.slice(1)))
    .join('');
}

/** References point at the shared components; answers are left open. */
function shared(schema: object, io: 'input' | 'output'): Json {
  const rewrite = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewrite);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, each]) => !(io === 'output' && key === 'additionalProperties' && each === false))
        .map(([key, each]: [string, unknown]) => [
          key,
          key === '$ref' && typeof each === 'string'
            ? each.replace('#/$defs/', '#/components/schemas/')
            : rewrite(each),
        ]),
    );
  };
  return fieldsOf(rewrite(schema));
}

function fieldsOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
