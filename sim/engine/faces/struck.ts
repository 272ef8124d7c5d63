import type { SettledFault } from '../faults.ts';
import type { Machine } from '../machine.ts';
import { type Call, complain } from './call.ts';

// Faults that answer in the engine's place, or see to it that nothing does.

const STATUSES = {
  overloaded: { status: 429, message: 'Too many requests, please slow down' },
  unavailable: { status: 503, message: 'The server is overloaded' },
  loading: { status: 503, message: 'Loading model' },
  error: { status: 500, message: 'Internal server error' },
  unauthorized: { status: 401, message: 'Invalid API Key' },
  missing: { status: 404, message: 'The model does not exist' },
} as const;

const BROKEN_CHUNK =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\nnot a chunk\r\n';

/** True where the fault has dealt with the request; false for one that strikes while the engine answers (answer.ts). */
export function strikes(fault: SettledFault, call: Call, machine: Machine): boolean {
  const { answer } = call;
  switch (fault.kind) {
    case 'slow':
      return false;
    case 'reset':
    case 'stall':
    case 'broken-chunk':
      if (fault.afterBytes !== undefined) return false;
      if (fault.kind === 'reset') answer.reset();
      if (fault.kind === 'broken-chunk') answer.nonsense(BROKEN_CHUNK);
      break;
    case 'frozen':
      break;
    case 'refuse':
      answer.reset();
      break;
    case 'redirect':
      answer.whole(302, '', { location: fault.message ?? 'http://127.0.0.1:9/elsewhere' });
      break;
    case 'not-http':
      answer.nonsense('this is not HTTP\r\n\r\n');
      break;
    case 'not-json':
      answer.whole(200, '<html><body>It works!</body></html>', { 'content-type': 'application/json' });
      break;
    case 'overloaded':
    case 'unavailable':
    case 'loading':
    case 'error':
    case 'unauthorized':
    case 'missing': {
      const { status, message } = STATUSES[fault.kind];
      complain(call, machine, status, fault.message ?? message, fault.retryAfterSeconds);
    }
  }
  return true;
}
