import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadSettings, type LoadedSettings, type SettingsRequest } from '../../config/load-settings.ts';
import { showAddress } from '../../config/values/addresses.ts';
import { isNodeError } from '../../config/values/node-error.ts';
import type { Address } from '../../fleet/settings.ts';
import { keptAdminUrl } from '../data-dir.ts';
import { exitCodes, Failure } from '../failure.ts';
import { problemsText } from '../messages.ts';

// Where the router is and with what token, found as the router itself keeps them: by flags, else by the settings that `weir serve` would
// start with here (file, variables, data directory). A running router writes its address into the data directory, so that one that was
// started with other flags or on port 0 is found too. The settings are read only for what no flag says: a broken file must not keep
// anybody from a router elsewhere.

export interface ConnectionFlags {
  /** `--admin`, as typed. */
  readonly admin: string | null;
  readonly token: string | null;
  /** `--ca`: path of a PEM file. */
  readonly ca: string | null;
  readonly config: string | null;
  readonly dataDir: string | null;
}

export interface Connection {
  /** Scheme, host and port. */
  readonly url: string;
  /** Null: none was found. */
  readonly token: string | null;
  /** Where the token was looked for, for messages. */
  readonly tokenFrom: string;
  /** PEM. */
  readonly ca: string | null;
}

type Surroundings = Pick<SettingsRequest, 'env' | 'cwd' | 'now'>;

/** Throws `Failure`. */
export async function findConnection(flags: ConnectionFlags, surroundings: Surroundings): Promise<Connection> {
  const named = flags.admin === null ? null : readAdminUrl(flags.admin);
  const givenToken = flags.token ?? noneIfEmpty(surroundings.env['WEIR_ADMIN_TOKEN']);
  const ca = flags.ca === null ? null : readPem(resolve(surroundings.cwd, flags.ca));
  if (named !== null && givenToken !== null) return { url: named, token: givenToken, tokenFrom: 'as given', ca };
  const { settings } = await settingsHere(flags, surroundings);
  const { admin, dataDir } = settings;
  const url = named ?? keptAdminUrl(dataDir) ?? ownUrl(admin.listen, admin.tls !== null);
  const kept = join(dataDir, 'admin-token');
  const token = givenToken ?? admin.token ?? readToken(kept);
  const tokenFrom = givenToken === null && admin.token === null ? kept : 'as given';
  // A certificate of our own on this machine is believed where it lies; it need not be in the system's list.
  const ownCa = named === null && admin.tls !== null ? readPem(admin.tls.cert) : null;
  return { url, token, tokenFrom, ca: ca ?? ownCa };
}

/** The settings that `weir serve` would have here. Throws `Failure` with all that is wrong with them. */
export async function settingsHere(
  { config, dataDir }: Pick<ConnectionFlags, 'config' | 'dataDir'>,
  surroundings: Surroundings,
): Promise<LoadedSettings> {
  const flags = new Map(dataDir === null ? [] : [['dataDir', dataDir]]);
  const loaded = await loadSettings({ ...surroundings, configFile: config, flags, nodes: [] });
  if ('settings' in loaded) return loaded;
  throw new Failure(
    exitCodes.usage,
    `${problemsText(loaded.problems)}Repair it, or name the router with --admin URL and WEIR_ADMIN_TOKEN.`,
  );
}

function readAdminUrl(written: string): string {
  const url = URL.parse(/^https?:\/\//.test(written) ? written : `http://${written}`);
  if (url && url.hostname !== '' && /^\/?$/.test(url.pathname) && url.search === '' && url.username === '') {
    return url.origin;
  }
  throw new Failure(exitCodes.usage, `--admin ${written}: write the admin address, such as http://127.0.0.1:9348`);
}

function ownUrl({ host, port }: Address, isTls: boolean): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host.replace(/^::$/, '::1');
  return `${isTls ? 'https' : 'http'}://${showAddress({ host: reachable, port })}`;
}

function readToken(path: string): string | null {
  try {
    return noneIfEmpty(readFileSync(path, 'utf8').trim());
  } catch (error) {
    // Somebody else's data directory, or none yet: the router will say that a token is needed.
    if (isNodeError(error)) return null;
    throw error;
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(
      exitCodes.usage,
      `--ca: ${path} cannot be read (${isNodeError(error) ? error.code : String(error)}); write the path of a PEM file`,
    );
  }
}

function noneIfEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}
