import type { ErrorCode } from '../../fleet/errors.ts';
import type { Call } from './read-call.ts';

// Reads `model` and `stream` from a multipart body (RFC 7578) without taking it apart: only the parts' heads are looked at, and the
// body goes on byte for byte. What was checked must be what the engine reads, and parsers of forms differ in odd cases, so odd forms
// are refused rather than guessed at: a part without exactly one plain `name`, a second `model`, bytes before the first boundary.

const DASHES = '--';
const BOUNDARY = /^multipart\/form-data\s*;\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'()+,./:=?-]{1,70}))\s*$/i;
const DISPOSITION =
  /^content-disposition: ?form-data; name="([^"\\\r\n]*)"(?:; filename="(?:[^"\\\r\n]|\\.)*")?(?:; filename\*=[\w'%!#$&+.^`|~-]*)?$/i;
const MOST_HEAD_BYTES = 4096;
/** Engines' names of models are no longer. */
const MOST_FIELD_BYTES = 1024;

/** Where the form names its model, to put the engine's own name there. */
export interface ModelPlace {
  readonly start: number;
  readonly end: number;
}

export interface FormCall extends Call {
  readonly place: ModelPlace;
}

/** True for the content type of a form with files. */
export function isForm(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*multipart\/form-data\b/i.test(contentType);
}

/** Reads the call from a whole form, or tells what is wrong with it. */
export function readForm(body: Buffer, contentType: string): FormCall | ErrorCode {
  const named = BOUNDARY.exec(contentType.trim());
  const boundary = named?.[1] ?? named?.[2];
  if (boundary === undefined) return 'invalid_form';
  const first = Buffer.from(DASHES + boundary);
  const next = Buffer.from(`\r\n${DASHES}${boundary}`);
  if (!body.subarray(0, first.length).equals(first)) return 'invalid_form';
  let place: ModelPlace | null = null;
  let stream = false;
  let at = first.length;
  while (body.toString('latin1', at, at + 2) === '\r\n') {
    const headEnd = body.indexOf('\r\n\r\n', at);
    if (headEnd < 0 || headEnd - at > MOST_HEAD_BYTES) return 'invalid_form';
    const name = nameOf(body.toString('latin1', at + 2, headEnd));
    const start = headEnd + 4;
    // An empty part's boundary begins with the line end that ends its head.
    const end = body.indexOf(next, start - 2);
    if (name === null || end < 0) return 'invalid_form';
    if (name === 'model') {
      if (place !== null || end < start || end - start > MOST_FIELD_BYTES) return 'invalid_model';
      place = { start, end };
    } else if (name === 'stream') stream = body.toString('latin1', start, Math.min(end, start + 5)) === 'true';
    at = end + next.length;
  }
  if (body.toString('latin1', at, at + 2) !== DASHES) return 'invalid_form';
  if (place === null) return 'missing_model';
  const model = body.toString('utf8', place.start, place.end);
  return model.trim() === '' ? 'invalid_model' : { model, stream, namesOneModel: true, place };
}

/** The form with another name of the model. The same Buffer where it is the same. */
export function withModelInForm(body: Buffer, { model, place }: FormCall, name: string): Buffer {
  if (model === name) return body;
  return Buffer.concat([body.subarray(0, place.start), Buffer.from(name), body.subarray(place.end)]);
}

/** The part's name; null where its head is not a plain one. */
function nameOf(head: string): string | null {
  const lines = head.split('\r\n').filter((line) => /^content-disposition\b/i.test(line));
  const [line = ''] = lines;
  return lines.length === 1 ? (DISPOSITION.exec(line)?.[1] ?? null) : null;
}
