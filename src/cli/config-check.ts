import { loadSettings, type SettingsRequest } from '../config/load-settings.ts';
import type { InForce } from '../config/resolve.ts';
import { problemsText, warningsText } from './messages.ts';

/** Prints the settings in force with where each came from, or what is wrong; returns the exit code, 0 or 1. */
export async function configCheck(
  request: SettingsRequest,
  stdout: (text: string) => void,
  stderr: (text: string) => void,
): Promise<number> {
  const loaded = await loadSettings(request);
  if ('problems' in loaded) {
    stderr(problemsText(loaded.problems));
    return 1;
  }
  stderr(warningsText(loaded.warnings));
  stdout(settingsText(loaded.inForce, loaded.file));
  return 0;
}

/** One line per setting: path, value, origin. */
function settingsText(inForce: readonly InForce[], file: string | null): string {
  const pathWidth = Math.max(...inForce.map(({ path }) => path.length));
  const valueWidth = Math.min(40, Math.max(...inForce.map(({ shown }) => shown.length)));
  const lines = inForce.map(({ path, shown, origin }) => {
    const from = origin.replace(/^file:/, `${file ?? ''}:`).replace(/^env:/, '');
    return `${path.padEnd(pathWidth)}  ${shown.padEnd(valueWidth)}  ${from}`;
  });
  return `${lines.join('\n')}\n`;
}
