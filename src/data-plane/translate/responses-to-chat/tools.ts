import { type FieldRule, knowsOnly, objectOf, objectsOf, requiredText, textOf } from '../rules.ts';

/** `defer_loading` asks that a tool be shown only once it was searched for; here it is shown at once. */
const known = new Set(['type', 'name', 'description', 'parameters', 'strict', 'defer_loading']);

/** Functions stay functions; tools that OpenAI's servers run, or that take free text, are refused. */
export const toolsRule: FieldRule = (value, field, { call, objections }) => {
  const tools = objectsOf(value, field, objections).map(([tool, path]) => {
    const { type, name, description, parameters, strict } = tool;
    if (type !== 'function') objections.unsayable(`${path}.type`, `there are no tools of type ${textOf(type)}`);
    else knowsOnly(tool, path, known, objections);
    return {
      type: 'function',
      function: {
        name: requiredText(name, `${path}.name`, objections),
        ...(typeof description === 'string' && { description }),
        ...(objectOf(parameters) && { parameters }),
        ...(typeof strict === 'boolean' && { strict }),
      },
    };
  });
  // Some servers refuse an empty list.
  if (tools.length > 0) call['tools'] = tools;
};

/** Which tool. */
export const toolChoiceRule: FieldRule = (value, field, { call, objections }) => {
  if (value === 'auto' || value === 'none' || value === 'required') {
    call[field] = value;
    return;
  }
  const { type, name } = objectOf(value) ?? {};
  if (type === 'function') {
    call[field] = { type, function: { name: requiredText(name, `${field}.name`, objections) } };
  } else if (typeof type === 'string') objections.unsayable(`${field}.type`, `there is no choice of type ${type}`);
  else objections.malformed(field, 'auto, none, required or a function');
};
