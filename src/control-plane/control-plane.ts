import type { ControlPlaneStart } from '../fleet/messages.ts';
import { createHttpClient } from '../http-client/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { authority } from '../lib/listening.ts';
import { type AdminServer, startAdminServer } from './api/admin-server.ts';
import type { AdminState } from './api/admin-state.ts';
import { adminToken, sentToken, tokenCheck, UnusableToken } from './api/admin-token.ts';
import { adminRoutes } from './api/routes.ts';
import { UnusableTls } from '../lib/tls-files.ts';
import { DataPlaneLink, type Port } from './data-plane-link.ts';
import { UnusableSettings } from './fleet-start.ts';
import { openRooms, type Rooms } from './rooms.ts';
import { UnusableDatabase } from './store/database.ts';

// Start and stop of the control plane: open the store, register the nodes, publish, listen for administrators, and take in what
// the data plane tells. What makes a start impossible is told with `failed` and a sentence; everything unexpected is
// thrown, ends the worker, and is answered by a new one.

export interface ControlPlane {
  readonly adminUrl: string;
  /** Writes what is pending, ends everything, tells `stopped`. */
  stop(): Promise<void>;
}

/** Starts on this thread. Null where it cannot start (`failed` has been sent) or was told to stop meanwhile. */
export async function startControlPlane(
  start: ControlPlaneStart,
  port: Port,
  clock: Clock,
  random: () => number = Math.random,
): Promise<ControlPlane | null> {
  const { settings } = start;
  const link = new DataPlaneLink(port, clock);
  const httpClient = createHttpClient(settings.pool, clock);
  let rooms: Rooms | null = null;
  let server: AdminServer | null = null;
  let isStopped = false;

  const end = async (): Promise<void> => {
    isStopped = true;
    await server?.close();
    rooms?.close();
    httpClient.close();
  };
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    await end();
    link.send({ kind: 'stopped' });
    port.close();
  };

  try {
    const opened = openRooms(start, { link, httpClient, clock, random });
    rooms = opened;
    const { token, isNew } = adminToken(settings.admin.token, settings.dataDir);
    port.on('message', (message) => {
      if (message.kind === 'stop') void stop();
      else if (message.kind === 'settings') {
        const problems = isStopped ? [] : opened.replaceSettings(message.report);
        server?.renewTls();
        link.send({ kind: 'settings-taken', question: message.question, problems });
      } else if (!isStopped) opened.take(message);
    });
    opened.begin();
    await opened.restoreSettings();
    server = await startAdminServer({
      listen: settings.admin.listen,
      tls: settings.admin.tls,
      clock,
      routes: adminRoutes(opened.state),
      isAuthorized: tokenCheck(token),
      isOtherToken: (header) => opened.state.tokens.find(sentToken(header) ?? '', clock.wall()).kind !== 'unknown',
      onMistake: (error, isWrite) => onMistake(opened.state, error, isWrite),
    });
    if (isStopped) {
      await server.close();
      return null;
    }
    link.send({ kind: 'started', adminUrl: server.url, adminToken: isNew ? token : null });
    return { adminUrl: server.url, stop };
  } catch (error) {
    const message = whyUnstartable(error, start);
    if (message === null) throw error;
    await end();
    link.send({ kind: 'failed', message });
    port.close();
    return null;
  }
}

function onMistake({ log }: AdminState, error: unknown, isWrite: boolean): void {
  log.error('the admin API made a mistake', { error: error instanceof Error ? error.stack : String(error) });
  if (isWrite) {
    setImmediate(() => {
      throw error;
    });
  }
}

/** A sentence that says what to do; null for what a new start may well survive. */
function whyUnstartable(error: unknown, { settings }: ControlPlaneStart): string | null {
  const told = [UnusableDatabase, UnusableSettings, UnusableToken, UnusableTls];
  if (error instanceof Error && told.some((kind) => error instanceof kind)) return error.message;
  if (!(error instanceof Error) || !('code' in error)) return null;
  const { host, port } = settings.admin.listen;
  const address = authority(host, port);
  switch (error.code) {
    case 'EADDRINUSE':
      return `The admin address ${address} is in use. Stop what listens there, or set another admin.listen (--admin-listen HOST:PORT).`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `The admin address ${address} is not one of this machine. Set another admin.listen (--admin-listen HOST:PORT).`;
    case 'EACCES':
    case 'EPERM':
    case 'ENOENT':
    case 'EISDIR':
    case 'ENOSPC':
    case 'EROFS':
      return `The control plane cannot start: ${error.message}. Check admin.listen and that dataDir (${settings.dataDir}) is ours to write.`;
    default:
      return null;
  }
}
