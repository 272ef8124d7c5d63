import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

// The certificate and key of a listener. OpenSSL's own sentences ("no start line") name neither setting nor file, so where it
// refuses, each file is looked at alone to tell which is wrong. What OpenSSL takes is never refused here.

/** The files cannot be used; the message names the setting, the file and what to do. */
export class UnusableTls extends Error {
  override readonly name = 'UnusableTls';
}

export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads the PEM files of the setting `tls` or `admin.tls`. Throws `UnusableTls`. */
export function readTlsFiles(setting: string, paths: { readonly cert: string; readonly key: string }): TlsFiles {
  const cert = read(`${setting}.cert`, paths.cert);
  const key = read(`${setting}.key`, paths.key);
  try {
    // Loaded only where a listener has TLS, as in node-http.ts.
    process.getBuiltinModule('node:tls').createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    const certificate = parsed(`${setting}.cert`, paths.cert, 'a certificate', () => new X509Certificate(cert));
    const secret = parsed(`${setting}.key`, paths.key, 'a private key without a passphrase', () =>
      createPrivateKey(key),
    );
    const why = certificate.checkPrivateKey(secret) ? messageOf(error) : 'they do not belong together';
    throw new UnusableTls(
      `${setting}.cert (${paths.cert}) and ${setting}.key (${paths.key}) cannot be used: ${why}. Give the certificate and its own key.`,
      { cause: error },
    );
  }
}

function read(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UnusableTls(
      `${setting} cannot be read: ${messageOf(error)}. Give the path of a PEM file that this user may read.`,
      { cause: error },
    );
  }
}

function parsed<T>(setting: string, path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UnusableTls(`${setting} (${path}) is not ${what} in PEM form: ${messageOf(error)}. Give one that is.`, {
      cause: error,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
