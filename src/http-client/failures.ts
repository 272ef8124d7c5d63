import errors from 'undici/lib/core/errors.js';
import { ExchangeError } from './exchange.ts';

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
]);

/** Node's and undici's errors carry a `code`; empty where there is none. */
export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Sorts undici's and the system's errors into the three kinds the verdict table knows. */
export function toExchangeError(cause: Error): ExchangeError {
  if (cause instanceof ExchangeError) return cause;
  const code = errorCode(cause);
  if (
    cause instanceof errors.HTTPParserError ||
    code.startsWith('HPE_') ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
    code === 'UND_ERR_HEADERS_OVERFLOW'
  ) {
    return new ExchangeError('garbage', cause);
  }
  if (
    cause instanceof errors.ConnectTimeoutError ||
    CONNECT_CODES.has(code) ||
    // OpenSSL's names for what is wrong with a certificate or a handshake.
    /^ERR_TLS|^UNABLE_TO_|CERT|SSL|^HOSTNAME_MISMATCH$/.test(code)
  ) {
    return new ExchangeError('connect-failed', cause);
  }
  // A host with several addresses fails with one AggregateError over them.
  if (cause instanceof AggregateError && cause.errors.length > 0) return new ExchangeError('connect-failed', cause);
  return new ExchangeError('reset', cause);
}
