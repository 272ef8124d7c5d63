import type { ClientError, DialectForm } from './dialect.ts';

function errorText(error: ClientError): string {
  return JSON.stringify({ error: error.message, code: error.code, type: error.type });
}

/** Ollama's form: one JSON object per line, errors as a string under `error`; our code and type lie beside it. */
export const ollama: DialectForm = {
  name: 'ollama',
  streamForm: 'ndjson',
  streamContentType: 'application/x-ndjson',
  errorBody: (error) => Buffer.from(errorText(error)),
  streamError: (error) => Buffer.from(`${errorText(error)}\n`),
  // A space before the next line's object: Ollama's own clients parse line by line and fail on an empty line.
  keepAlive: Buffer.from(' '),
};
