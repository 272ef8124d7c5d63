import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  loadSettings,
  type LoadedSettings,
  type SettingsRequest,
  type UnusableSettings,
} from '../../src/config/load-settings.ts';
import type { Settings } from '../../src/fleet/settings.ts';

export const testNow = Date.UTC(2026, 0, 1);

interface Given {
  /** Written to weir.yaml in a fresh working directory. */
  readonly yaml?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** By setting's path. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly nodes?: readonly string[];
  readonly configFile?: string;
  /** Default Linux. */
  readonly platform?: NodeJS.Platform;
  /** More files in the working directory, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A directory that is gone after the test. */
export function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-test-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Loads settings from what is given and nothing else of this machine, HOME=/home/tester. */
export async function load(context: TestContext, given: Given): Promise<LoadedSettings | UnusableSettings> {
  const cwd = temporaryDirectory(context);
  if (given.yaml !== undefined) writeFileSync(join(cwd, 'weir.yaml'), given.yaml);
  for (const [name, text] of Object.entries(given.files ?? {})) writeFileSync(join(cwd, name), text);
  const request: SettingsRequest = {
    configFile: given.configFile ?? null,
    flags: new Map(Object.entries(given.flags ?? {})),
    nodes: given.nodes ?? [],
    env: { HOME: '/home/tester', ...given.env },
    cwd,
    now: testNow,
    platform: given.platform ?? 'linux',
  };
  return await loadSettings(request);
}

/** The settings; fails with the problems where there are any. */
export async function settingsFrom(context: TestContext, given: Given): Promise<Settings> {
  return (await loadedFrom(context, given)).settings;
}

export async function loadedFrom(context: TestContext, given: Given): Promise<LoadedSettings> {
  const loaded = await load(context, given);
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded;
}

/** The problems; empty where the settings are usable. */
export async function problemsOf(context: TestContext, given: Given): Promise<readonly string[]> {
  const loaded = await load(context, given);
  return 'problems' in loaded ? loaded.problems : [];
}
