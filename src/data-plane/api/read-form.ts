import type { ErrorCode } from '../../fleet/errors.ts';
import { type FormCall, FormScan } from './form-scan.ts';

/** True for the content type of a form with files. */
export function isForm(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*multipart\/form-data\b/i.test(contentType);
}

/** Reads the call from a whole form, or tells what is wrong with it. */
export function readForm(body: Buffer, contentType: string): FormCall | ErrorCode {
  const scan = FormScan.of(contentType);
  if (scan === null) return 'invalid_form';
  return scan.push(body) ?? scan.end() ?? scan.call ?? 'missing_model';
}

/** The form with another name of the model. The same Buffer where it is the same. */
export function withModelInForm(body: Buffer, { model, place }: FormCall, name: string): Buffer {
  if (model === name) return body;
  return Buffer.concat([body.subarray(0, place.start), Buffer.from(name), body.subarray(place.end)]);
}
