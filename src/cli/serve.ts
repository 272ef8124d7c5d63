import { FileWatch } from '../config/file-watch.ts';
import { LiveSettings } from '../config/live-settings.ts';
import { loadSettings, type SettingsRequest } from '../config/load-settings.ts';
import type { Clock } from '../lib/clock.ts';
import type { AppHooks, RunningApp, StartApp } from './app.ts';
import { lockDataDir, type DataDirLock } from './data-dir.ts';
import {
  nodesText,
  problemsText,
  reachable,
  startedText,
  startFailedText,
  stoppedText,
  stoppingText,
  tightenedText,
  warningsText,
} from './messages.ts';
import { watchHangUp, watchSignals, type SignalSource } from './signals.ts';

// The life of a router as a process: settings, lock, start, signals, drain, exit code. What is said to people goes to
// standard error, except the addresses, which scripts read from standard output. Lines of the log are the control
// plane's.

export interface ServeDeps {
  readonly startApp: StartApp;
  readonly version: string;
  /** False in a package: its user has no `npm run demo`. */
  readonly hasDemo: boolean;
  readonly signals: SignalSource;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly clock: Clock;
  /** True where this process was started in a terminal that is no more. Absent: it was started in none. */
  readonly hasLostTerminal?: () => boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Ends the process without waiting for anything. */
  readonly exit: (code: number) => void;
}

/** Runs until stopped; resolves with the exit code: 0 stopped as asked, 1 could not start or stop, 2 bad configuration. */
export async function serve(request: SettingsRequest, deps: ServeDeps): Promise<number> {
  const loaded = await loadSettings(request);
  if ('problems' in loaded) {
    deps.stderr(problemsText(loaded.problems));
    return 2;
  }
  const { settings, file } = loaded;
  const isSilent = settings.log.level === 'silent';
  const say = (write: (text: string) => void, text: string): void => {
    if (!isSilent && text !== '') write(text);
  };
  say(deps.stderr, warningsText(loaded.warnings));

  const ended = Promise.withResolvers<void>();
  let adminUrl = '';
  let lock: DataDirLock | null = null;
  const live = new LiveSettings(request, loaded, () => deps.clock.wall());
  const hooks: AppHooks = {
    source: live,
    listening: (listening) => {
      adminUrl = listening.adminUrl;
      lock?.keepAdminUrl(reachable(adminUrl));
      say(deps.stdout, startedText(deps.version, listening, settings, file));
    },
    settled: (nodes) => say(deps.stdout, nodesText(nodes, adminUrl, deps.hasDemo)),
  };

  let running: RunningApp | null = null;
  // Watched to the very end: the echo of a Ctrl-C that comes after a quick stop must not turn its exit code into 130.
  watchSignals(
    deps.signals,
    deps.now,
    (signal) => {
      say(deps.stderr, stoppingText(signal, live.report.settings.timeouts.shutdownMs));
      ended.resolve();
    },
    deps.exit,
  );
  const started = Promise.withResolvers<void>();
  const reload = (by: 'file' | 'signal'): void => {
    // What comes of it is told by the control plane: in the log and to administrators.
    void started.promise.then(() => live.reload(by));
  };
  const watch = new FileWatch(
    deps.clock,
    () => live.files,
    () => reload('file'),
  );
  watchHangUp(
    deps.signals,
    deps.hasLostTerminal ?? (() => false),
    () => reload('signal'),
    () => ended.resolve(),
  );
  let code = 0;
  try {
    lock = lockDataDir(settings.dataDir);
    if (lock.wasTightened) say(deps.stderr, warningsText([tightenedText(settings.dataDir)]));
    await watch.start();
    running = await deps.startApp(settings, hooks);
    started.resolve();
    await ended.promise;
  } catch (error) {
    deps.stderr(startFailedText(error));
    code = 1;
  }
  watch.stop();
  try {
    await running?.stop();
  } catch (error) {
    deps.stderr(stoppedText(error instanceof Error ? error.message : String(error)));
    code = 1;
  }
  // The lock goes last: until everything has stopped the database is still being written.
  lock?.release();
  return code;
}
