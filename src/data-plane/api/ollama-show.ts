import type { ErrorCode } from '../../fleet/errors.ts';
import type { ModelSnapshot } from '../../fleet/snapshot.ts';
import { detailsOf } from './ollama-list.ts';
import { type Call, readCall } from './read-call.ts';

// What a model is, in Ollama's form, where no Ollama node has it. The router knows its name and nothing else for certain, so that
// only is told, in the types that Ollama's clients parse: they take what is empty for unknown. That it completes texts is said
// because clients refuse to use a model of which nothing is; tools and images are not, since an engine that has them not would
// fail where they are offered.

/** Reads which model is asked about. Older clients call it `name`. */
export function readShow(body: Buffer): Call | ErrorCode {
  const call = readCall(body, 'ollama');
  if (typeof call !== 'string') return { ...call, stream: false };
  if (call !== 'missing_model' && call !== 'invalid_model') return call;
  const { name, model } = fieldsIn(body);
  const isNamed = typeof name === 'string' && name.trim() !== '' && (model === undefined || model === '');
  return isNamed ? { model: name, stream: false, namesOneModel: false } : call;
}

/** The model as the router itself knows it, under the name that the client wrote. */
export function describeModel({ firstSeenAt, files }: ModelSnapshot, asked: string): object {
  return {
    modelfile: `FROM ${asked}\n`,
    parameters: '',
    template: '',
    details: detailsOf(files),
    model_info: {},
    capabilities: ['completion'],
    modified_at: new Date(firstSeenAt).toISOString(),
  };
}

/** The body was read as an object before. */
function fieldsIn(body: Buffer): { readonly name?: unknown; readonly model?: unknown } {
  const value: object = JSON.parse(body.toString());
  return value;
}
