import { type FieldRule, knowsOnly, type Objections, objectOf, objectsOf, requiredText, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';
import { customParameters, flatName } from './tool-names.ts';

/** `defer_loading` asks that a tool be shown only once it was searched for; here it is shown at once. */
const known = {
  function: new Set(['type', 'name', 'description', 'parameters', 'strict', 'defer_loading']),
  custom: new Set(['type', 'name', 'description', 'format', 'defer_loading']),
  namespace: new Set(['type', 'name', 'description', 'tools']),
};

/** Functions stay functions, whatever group they are in, and tools of free text become some; those that OpenAI's servers run are refused. */
export const toolsRule: FieldRule = (value, field, { call, objections }) => {
  const tools = objectsOf(value, field, objections).flatMap(([tool, path]) => readTool(tool, path, '', objections));
  // Some servers refuse an empty list.
  if (tools.length > 0) call['tools'] = tools;
};

function readTool(tool: Json, path: string, namespace: string, objections: Objections): Json[] {
  const { type } = tool;
  if (type === 'namespace' && namespace === '') return readNamespace(tool, path, objections);
  if (type !== 'function' && type !== 'custom') {
    objections.unsayable(`${path}.type`, `there are no tools of type ${textOf(type)}`);
    return [];
  }
  knowsOnly(tool, path, known[type], objections);
  const name = flatName(namespace, requiredText(tool['name'], `${path}.name`, objections));
  const told = type === 'custom' ? asFunction(tool) : functionOf(tool);
  return [{ type: 'function', function: { name, ...told } }];
}

/** What the group is for is told with the first of its tools: there is no other place for it. */
function readNamespace(tool: Json, path: string, objections: Objections): Json[] {
  knowsOnly(tool, path, known.namespace, objections);
  const namespace = requiredText(tool['name'], `${path}.name`, objections);
  return objectsOf(tool['tools'], `${path}.tools`, objections).flatMap(([inner, at], index) => {
    const description = index === 0 ? described(tool['description'], inner['description']) : inner['description'];
    return readTool({ ...inner, description }, at, namespace, objections);
  });
}

function functionOf({ description, parameters, strict }: Readonly<Record<string, unknown>>): Json {
  return {
    ...(typeof description === 'string' && description !== '' && { description }),
    ...(objectOf(parameters) && { parameters }),
    ...(typeof strict === 'boolean' && { strict }),
  };
}

function asFunction({ description, format }: Readonly<Record<string, unknown>>): Json {
  const { type, syntax, definition } = objectOf(format) ?? {};
  const grammar =
    type === 'grammar' ? `The input must follow this ${textOf(syntax)} grammar:\n${textOf(definition)}` : undefined;
  const told = described(description, grammar);
  return { ...(told !== '' && { description: told }), parameters: customParameters() };
}

function described(...parts: readonly unknown[]): string {
  return parts.filter((part) => typeof part === 'string' && part !== '').join('\n\n');
}

/** Which tool. */
export const toolChoiceRule: FieldRule = (value, field, { call, objections }) => {
  if (value === 'auto' || value === 'none' || value === 'required') {
    call[field] = value;
    return;
  }
  const { type, name, namespace } = objectOf(value) ?? {};
  if (type === 'function' || type === 'custom') {
    const flat = flatName(textOf(namespace), requiredText(name, `${field}.name`, objections));
    call[field] = { type: 'function', function: { name: flat } };
  } else if (typeof type === 'string') objections.unsayable(`${field}.type`, `there is no choice of type ${type}`);
  else objections.malformed(field, 'auto, none, required or a function');
};
