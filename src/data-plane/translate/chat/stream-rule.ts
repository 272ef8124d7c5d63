import type { FieldRule } from '../rules.ts';

/** `stream`, and where it is true a last chunk that tells the usage: the other dialects' streams always end with it. */
export const streamRule: FieldRule = (value, field, { call }) => {
  call[field] = value;
  if (value === true) call['stream_options'] = { include_usage: true };
};
