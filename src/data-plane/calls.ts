import { readShow } from './api/ollama-show.ts';
import { type Call, readCall } from './api/read-call.ts';
import type { FormCall } from './api/form-scan.ts';
import { isForm, readForm, withModelInForm } from './api/read-form.ts';
import type { ErrorCode } from '../fleet/errors.ts';
import type { NodeRoute } from './http/routes.ts';
import { withModel } from './relay/field-edits.ts';

// What a request asks for, in whichever form its endpoint takes it, and the same again as one node is asked.

export type AnyCall = Call | FormCall;

/** Ollama's other endpoints stream unless told not to. */
const UNSTREAMED: ReadonlySet<string> = new Set(['/api/embed', '/api/embeddings']);

/** Reads the call from a whole body, or tells what is wrong with it. */
export function readAnyCall(body: Buffer, route: NodeRoute, contentType: string | undefined): AnyCall | ErrorCode {
  if (route.takesForm && contentType !== undefined && isForm(contentType)) return readForm(body, contentType);
  if (route.isAboutModel) return readShow(body);
  const call = readCall(body, route.dialect);
  return typeof call === 'string' || !UNSTREAMED.has(route.path) ? call : { ...call, stream: false };
}

/** True for a call whose body is an upload: once sent to a node it is not sent again. */
export function isUpload(call: AnyCall): call is FormCall {
  return 'place' in call;
}

/** The body for a node that knows the model as `upstream`. */
export function bodyFor(call: AnyCall, body: Buffer, upstream: string): Buffer {
  if (isUpload(call)) return withModelInForm(body, call, upstream);
  // What was checked must be what the engine reads, and engines differ in which of several `model` fields they believe.
  return call.namesOneModel && call.model === upstream ? body : withModel(body, upstream);
}
