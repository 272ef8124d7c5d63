import type { IncomingMessage } from 'node:http';
import { type ErrorCode, errors } from '../../fleet/errors.ts';

// What Node's parser lets pass and two parties may read in two ways: a proxy before us that goes by the other Host, or that undoes
// a transfer coding we do not know, sees another request than we do. Such a head is refused before anything judges it.

export interface HeadFault {
  readonly status: number;
  readonly code: ErrorCode;
  /** What is wrong, for the client. */
  readonly message: string;
}

const TWO_HOSTS: HeadFault = {
  status: errors.invalid_header.status,
  code: 'invalid_header',
  message: 'A request must have one Host header, not several.',
};

const UNKNOWN_CODING: HeadFault = {
  status: errors.not_implemented.status,
  code: 'not_implemented',
  message: 'Of Transfer-Encoding only chunked is taken, once. Send the body without any other coding.',
};

/** Why this head is refused; null where nothing is wrong with it. RFC 9112, sections 3.2 and 6.1. */
export function headFault({ headers, rawHeaders }: IncomingMessage): HeadFault | null {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') return UNKNOWN_CODING;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1 ? TWO_HOSTS : null;
}

/** The body that tells a client of a refusal from before there is a route, and so a dialect. */
export function refusalBody({ code, message }: Omit<HeadFault, 'status'>): Buffer {
  const { type } = errors[code];
  return Buffer.from(JSON.stringify({ error: { message, type, param: null, code } }));
}
