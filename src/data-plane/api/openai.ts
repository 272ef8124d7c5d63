import { type ClientError, type DialectForm, queueFields, typedEvent } from './dialect.ts';

function errorText(error: ClientError): string {
  return JSON.stringify({
    error: { message: error.message, type: error.type, param: null, code: error.code, ...queueFields(error) },
  });
}

/** OpenAI's form: `error` objects, streams of server-sent events. */
export const openai: DialectForm = {
  name: 'openai',
  streamForm: 'sse',
  streamContentType: 'text/event-stream; charset=utf-8',
  errorBody: (error) => Buffer.from(errorText(error)),
  streamObject: (object) => `data: ${JSON.stringify(object)}\n\n`,
  streamEnd: 'data: [DONE]\n\n',
  streamError: (error) => Buffer.from(`data: ${errorText(error)}\n\n`),
  keepAlive: (news) => Buffer.from(`: ${news}\n\n`),
};

/** As `openai`, in streams of typed events; a client that reads them finds the error by the event's name and in its fields. */
export const responses: DialectForm = {
  ...openai,
  streamObject: typedEvent,
  streamEnd: '',
  streamError: (error) => {
    const { code, message } = error;
    return Buffer.from(`event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param: null })}\n\n`);
  },
};
