import { objectOf, textOf } from '../rules.ts';
import type { Json, Translator } from '../translation.ts';

// What an Ollama node says of a model, told again without what is the node's own: its modelfile names the files on its disk (`FROM`,
// `ADAPTER`) and the model as that node calls it, and a model that runs elsewhere says where. Texts between three quotes, licence
// and template, are the model's and stay as they are; so do all other fields but paths into Ollama's store, wherever one stands.
// A path that somebody wrote into a system prompt would be told.

/** A file in an Ollama's store: `/root/.ollama/models/blobs/sha256-…`. */
const STORED = /(?:[a-z]:)?[\\/][^\s"']*[\\/]blobs[\\/]sha256[-:][\da-f]{64}/gi;
const PATH = /^(?:[\\/~]|\.{1,2}[\\/]|[a-z]:[\\/]|file:)/i;
const QUOTES = '"""';

/** `/api/show` as one Ollama tells it, for whoever must not learn which. */
export const ollamaShow: Translator = {
  from: '/api/show',
  to: '/api/show',
  translate(call) {
    const { name, ...asked } = call;
    const model = textOf(call['model']) || textOf(name);
    return {
      call: { ...asked, model },
      answer: () => ({ whole: (answer) => retold(answer, model), event: () => [], end: () => [] }),
    };
  },
};

/** Null where it describes no model. */
function retold(answer: Json, model: string): Json | null {
  const { remote_host: _host, remote_model: _model, modelfile, details: told, ...rest } = answer;
  const details = objectOf(told);
  if (details === null && objectOf(answer['model_info']) === null) return null;
  return {
    ...(typeof modelfile === 'string' ? { modelfile: retoldModelfile(modelfile, model) } : {}),
    ...(details && { details: withoutPath(details) }),
    ...Object.fromEntries(Object.entries(rest).map(([field, value]) => [field, withoutStored(value)])),
  };
}

function retoldModelfile(modelfile: string, model: string): string {
  let isText = false;
  let isNamed = false;
  const lines: string[] = [];
  for (const line of modelfile.split('\n')) {
    const command = isText ? '' : (/^(?:#\s*)?([a-z]+)\s/i.exec(line)?.[1] ?? '').toUpperCase();
    if (line.split(QUOTES).length % 2 === 0) isText = !isText;
    if (command === 'FROM') {
      // The first is the model's, others are its parts': they too are files.
      const isComment = line.startsWith('#');
      if (isComment) lines.push(`# FROM ${model}`);
      else if (!isNamed) lines.push(`FROM ${model}`);
      isNamed ||= !isComment;
    } else if (command !== 'ADAPTER') lines.push(line.replace(STORED, ''));
  }
  return lines.join('\n');
}

function withoutPath(details: Json): Json {
  return PATH.test(textOf(details['parent_model'])) ? { ...details, parent_model: '' } : details;
}

function withoutStored(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(STORED, '');
  // Lists of a tokenizer have a hundred thousand words, and no path.
  const object = objectOf(value);
  if (object === null) return value;
  return Object.fromEntries(Object.entries(object).map(([field, inner]) => [field, withoutStored(inner)]));
}
