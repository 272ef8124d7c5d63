import { resolve } from 'node:path';
import type { Settings } from '../fleet/settings.ts';
import type { Overrides, SettingsChange, SettingsReport } from '../fleet/settings-report.ts';
import { readTlsFiles, UnusableTls } from '../lib/tls-files.ts';
import { type LoadedSettings, loadSettings, type SettingsRequest } from './load-settings.ts';
import { Problems } from './problems.ts';
import { changedPaths, entriesOf, takeable } from './restart.ts';
import { reportUnsafe } from './safety.ts';

// The settings of a running router. They are read anew as a whole, from the same sources as at the start and from what was set through
// the admin API, which goes before all others; and they are taken whole or not at all. One change after the other: two that
// come together would else be judged by what the other one ends.
//
// What waits for a restart is left out of what is taken, so that mixture is judged for safety once more: a file that opens the router to
// strangers and closes its address to them is right for the next start and wrong until then.

/** Takes settings into force; resolves with what speaks against them, and then nothing has changed. */
export type TakeSettings = (report: SettingsReport) => Promise<readonly string[]>;

export class LiveSettings {
  readonly #request: SettingsRequest;
  readonly #started: LoadedSettings;
  readonly #wall: () => number;
  #report: SettingsReport;
  #take: TakeSettings | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(request: SettingsRequest, started: LoadedSettings, wall: () => number) {
    // Of a file that is gone, the defaults must not be taken for what it says.
    this.#request = { ...request, configFile: started.file };
    this.#started = started;
    this.#wall = wall;
    this.#report = {
      settings: started.settings,
      entries: entriesOf(started.inForce, started.inForce, false),
      file: started.file,
      overrides: {},
      lastChange: null,
    };
  }

  get report(): SettingsReport {
    return this.#report;
  }

  /** Absolute paths of what the settings are read from. */
  get files(): readonly string[] {
    const { tls, admin, discovery } = this.#report.settings;
    const paths = [this.#report.file, discovery.file, tls?.cert, tls?.key, admin.tls?.cert, admin.tls?.key];
    return paths.flatMap((path) => (typeof path === 'string' ? resolve(this.#request.cwd, path) : []));
  }

  /** Names who takes settings into force from now on. */
  connect(take: TakeSettings): void {
    this.#take = take;
  }

  /** Reads all sources anew and takes what they say, or tells why not. */
  reload(by: SettingsChange['by']): Promise<SettingsChange> {
    return this.#inTurn(() => this.#change(by, this.#report.overrides));
  }

  /** Judges what is to be set through the admin API, all of it, and takes it if told so; resolves with what is wrong. */
  override(overrides: Overrides, apply: boolean): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      if (apply) return (await this.#change('api', overrides)).problems;
      const read = await this.#read(overrides);
      return 'problems' in read ? read.problems : [];
    });
  }

  async #change(by: SettingsChange['by'], overrides: Overrides): Promise<SettingsChange> {
    const read = await this.#read(overrides);
    const note = { at: this.#wall(), by, problems: [], warnings: [], changed: [] };
    if ('problems' in read) return this.#refused({ ...note, problems: read.problems });
    const { report, warnings } = read;
    const lastChange = { ...note, warnings, changed: changedPaths(this.#report, report) };
    const next = { ...report, lastChange };
    const problems = (await this.#take?.(next)) ?? [];
    if (problems.length > 0) return this.#refused({ ...note, problems });
    this.#report = next;
    return lastChange;
  }

  /** The settings stay; that they were to change is told. */
  async #refused(lastChange: SettingsChange): Promise<SettingsChange> {
    this.#report = { ...this.#report, lastChange };
    await this.#take?.(this.#report);
    return lastChange;
  }

  async #read(
    overrides: Overrides,
  ): Promise<
    { readonly report: SettingsReport; readonly warnings: readonly string[] } | { readonly problems: readonly string[] }
  > {
    const loaded = await loadSettings({
      ...this.#request,
      // A list that was there and is gone is no empty list; one that is awaited may still come.
      isRunning: this.#report.settings.discovery.nodes.length > 0,
      overrides: new Map(Object.entries(overrides)),
      now: this.#wall(),
    });
    if ('problems' in loaded) return loaded;
    const running = this.#started.settings;
    const settings = takeable(loaded.settings, running);
    const problems = [...unsafeUntilRestart(settings), ...unusableFiles(settings)];
    if (problems.length > 0) return { problems };
    const isTokenNew = loaded.settings.admin.token !== running.admin.token;
    const entries = entriesOf(this.#started.inForce, loaded.inForce, isTokenNew);
    const report = { settings, entries, file: loaded.file, overrides, lastChange: this.#report.lastChange };
    return { report, warnings: loaded.warnings };
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function unsafeUntilRestart(settings: Settings): readonly string[] {
  const problems = new Problems();
  reportUnsafe(settings, problems);
  return problems
    .lines()
    .map((line) => `${line} (until the restart that what else you changed waits for: restart instead)`);
}

function unusableFiles({ tls, admin }: Settings): readonly string[] {
  const listeners = [
    ['tls', tls],
    ['admin.tls', admin.tls],
  ] as const;
  return listeners.flatMap(([setting, paths]) => {
    if (paths === null) return [];
    try {
      readTlsFiles(setting, paths);
      return [];
    } catch (error) {
      if (error instanceof UnusableTls) return [error.message];
      throw error;
    }
  });
}
