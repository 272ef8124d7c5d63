import type { Settings } from './settings.ts';

// The settings with what administrators want to know of them: where each came from, what waits for a restart, and how the last change
// went. Made where the settings are read, shown by the admin API.

/** As written in the configuration file, by path (`queue.maxWaiters`): what was set through the admin API. */
export type Overrides = Readonly<Record<string, string | readonly string[]>>;

export interface SettingEntry {
  /** As in the configuration file. */
  readonly path: string;
  /** For people; secrets are masked. */
  readonly value: string;
  /** `default`, `flag`, `api`, `file:LINE` or `env:VARIABLE`. */
  readonly source: string;
  /** What it will be after a restart, where that is something else. */
  readonly afterRestart: string | null;
}

/** How a change of the settings went. */
export interface SettingsChange {
  /** Epoch ms. */
  readonly at: number;
  /** What brought it about: a changed file, SIGHUP, or the admin API. */
  readonly by: 'file' | 'signal' | 'api';
  /** What is wrong; then nothing was changed. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Paths of what is another now. */
  readonly changed: readonly string[];
}

export interface SettingsReport {
  readonly settings: Settings;
  readonly entries: readonly SettingEntry[];
  /** As named by the user; null without one. */
  readonly file: string | null;
  readonly overrides: Overrides;
  /** Null: nobody has tried since the start. */
  readonly lastChange: SettingsChange | null;
}

/** Of settings of which nothing else is known. */
export function plainReport(settings: Settings): SettingsReport {
  return { settings, entries: [], file: null, overrides: {}, lastChange: null };
}
