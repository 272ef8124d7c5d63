import { type ClientError, type DialectForm, queueFields } from './dialect.ts';

function errorText(error: ClientError): string {
  return JSON.stringify({ error: error.message, code: error.code, type: error.type, ...queueFields(error) });
}

/** A gateway before an engine, or an engine of another make, may write errors as objects. */
function isOwnError(body: Buffer): boolean {
  const parsed: unknown = JSON.parse(body.toString());
  return typeof parsed === 'object' && parsed !== null && 'error' in parsed && typeof parsed.error === 'string';
}

/** Ollama's form: one JSON object per line, errors as a string under `error`; our code and type lie beside it. */
export const ollama: DialectForm = {
  name: 'ollama',
  streamForm: 'ndjson',
  streamContentType: 'application/x-ndjson',
  errorBody: (error) => Buffer.from(errorText(error)),
  isOwnError,
  streamObject: (object) => `${JSON.stringify(object)}\n`,
  streamEnd: '',
  streamError: (error) => Buffer.from(`${errorText(error)}\n`),
  // A space before the next line's object: Ollama's own clients parse line by line and fail on an empty line.
  keepAlive: () => Buffer.from(' '),
};
