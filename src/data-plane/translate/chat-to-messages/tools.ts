import { type FieldRule, knowsOnly, objectOf, type Objections, objectsOf, requiredText, textOf } from '../rules.ts';
import type { Json } from '../translation.ts';

const knownOfTool = new Set(['type', 'function']);
const knownOfFunction = new Set(['name', 'description', 'parameters', 'strict']);

/** Functions become tools; those without parameters take an empty object. */
export const toolsRule: FieldRule = (value, field, { call, objections }) => {
  const tools = objectsOf(value, field, objections).map(([tool, path]) => readTool(tool, path, objections));
  if (tools.length > 0) call['tools'] = tools;
};

function readTool(tool: Json, path: string, objections: Objections): Json {
  const { type } = tool;
  if (type !== 'function') objections.unsayable(`${path}.type`, `there are no tools of type ${textOf(type)}`);
  knowsOnly(tool, path, knownOfTool, objections);
  const wanted = objectOf(tool['function']) ?? {};
  knowsOnly(wanted, `${path}.function`, knownOfFunction, objections);
  const { name, description, parameters, strict } = wanted;
  return {
    name: requiredText(name, `${path}.function.name`, objections),
    ...(typeof description === 'string' && { description }),
    input_schema: objectOf(parameters) ?? { type: 'object', properties: {} },
    ...(strict === true && { strict }),
  };
}

const choices: Readonly<Record<string, string>> = { auto: 'auto', required: 'any' };

/** Which tool. */
export const toolChoiceRule: FieldRule = (value, field, { call, objections }) => {
  const wanted = objectOf(value);
  const before = objectOf(call[field]);
  if (wanted?.['type'] === 'function') {
    const name = requiredText(objectOf(wanted['function'])?.['name'], `${field}.function.name`, objections);
    call[field] = { ...before, type: 'tool', name };
  } else if (wanted) objections.unsayable(`${field}.type`, `there is no choice of type ${textOf(wanted['type'])}`);
  else if (value === 'none') call[field] = { type: value };
  else if (typeof value === 'string' && Object.hasOwn(choices, value))
    call[field] = { ...before, type: choices[value] };
  else objections.malformed(field, 'auto, none, required or a function');
};

/** One call at a time is a matter of the choice there. */
export const parallelRule: FieldRule = (value, _field, { call }) => {
  const before = objectOf(call['tool_choice']) ?? { type: 'auto' };
  if (value === false && before['type'] !== 'none') {
    call['tool_choice'] = { ...before, disable_parallel_tool_use: true };
  }
};
