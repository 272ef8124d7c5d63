import { type FieldRule, knowsOnly, objectOf, objectsOf, requiredText } from '../rules.ts';

// `defer_loading` asks that a tool be shown to the model only once it was searched for; here it is shown at once, which costs
// context and loses nothing else. Examples and eager streaming of inputs help Anthropic's models and mean nothing elsewhere.

const known = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
  'allowed_callers',
  'defer_loading',
  'eager_input_streaming',
  'input_examples',
]);

/** Tools with a schema become functions; those that Anthropic's servers run, or that only its models know, are refused. */
export const toolsRule: FieldRule = (value, field, { call, objections }) => {
  const tools = objectsOf(value, field, objections).map(([tool, path]) => {
    const { type, name, description, input_schema: schema, strict, allowed_callers: callers } = tool;
    if (typeof type === 'string' && type !== 'custom') {
      objections.unsayable(`${path}.type`, `${type} is a tool of Anthropic's own`);
    } else {
      knowsOnly(tool, path, known, objections);
      if (Array.isArray(callers) && !callers.includes('direct')) {
        objections.unsayable(`${path}.allowed_callers`, 'only the model itself calls tools there');
      }
      if (objectOf(schema) === null) objections.malformed(`${path}.input_schema`, 'a JSON schema');
    }
    return {
      type: 'function',
      function: {
        name: requiredText(name, `${path}.name`, objections),
        ...(typeof description === 'string' && { description }),
        parameters: schema,
        ...(typeof strict === 'boolean' && { strict }),
      },
    };
  });
  // Some servers refuse an empty list.
  if (tools.length > 0) call['tools'] = tools;
};

/** Which tool, and whether several at once. */
export const toolChoiceRule: FieldRule = (value, field, { call, objections }) => {
  const choice = objectOf(value) ?? {};
  switch (choice['type']) {
    case 'auto':
    case 'none':
      call[field] = choice['type'];
      break;
    case 'any':
      call[field] = 'required';
      break;
    case 'tool':
      call[field] = {
        type: 'function',
        function: { name: requiredText(choice['name'], `${field}.name`, objections) },
      };
      break;
    default:
      objections.malformed(`${field}.type`, 'auto, any, tool or none');
  }
  if (choice['disable_parallel_tool_use'] === true) call['parallel_tool_calls'] = false;
};
