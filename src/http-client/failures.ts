import { ExchangeError } from './exchange.ts';

/** OpenSSL's names for what is wrong with a certificate: TLS 1.3 tells a client that its own was refused only after the handshake. */
const TLS_CODE = /^ERR_TLS|^ERR_SSL|CERT/;

/** What the system reports of a connection that was there: a reset, whatever it calls it, or a certificate refused late. */
export function establishedError(cause: Error): ExchangeError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return new ExchangeError(TLS_CODE.test(code) ? 'connect-failed' : 'reset', cause);
}
