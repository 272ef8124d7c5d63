import { isDeepStrictEqual } from 'node:util';
import type { SettingsReport } from '../fleet/settings-report.ts';
import type { AdminState } from './api/admin-state.ts';
import { configured, type FleetParts, nodeClashes, replaceNodes } from './fleet-change.ts';
import type { Finding } from './finding.ts';
import type { SettingsInForce } from './settings-in-force.ts';

// What becomes another thing in this plane when the settings do. Most of it only reads them where it uses them; here is what keeps
// something made of them. What may speak against them is asked first, so that afterwards everything is taken.

export interface ChangeParts {
  readonly live: SettingsInForce;
  readonly state: AdminState;
  readonly finding: Finding;
  readonly fleetParts: FleetParts;
}

/** Goes by these settings, and tells what changed; or returns what speaks against them, having changed nothing. */
export function replaceSettings(
  report: SettingsReport,
  { live, state, finding, fleetParts }: ChangeParts,
): readonly string[] {
  const { fleet, log, keys, clock, httpClient, modelTasks, publication } = state;
  const problems = nodeClashes(report.settings.nodes, fleet);
  if (problems.length > 0) return problems;
  const before = live.report;
  live.replace(report);
  const now = live.settings;
  log.setLevel(now.log.level);
  keys.declare(now.auth.keys, clock.wall());
  if (!isDeepStrictEqual(before.settings.pool, now.pool)) httpClient.replaceOptions(now.pool);
  replaceNodes(now.nodes, configured, fleetParts);
  finding.changed();
  modelTasks.rulesChanged();
  publication.changed();
  publication.flush();
  if (report.lastChange !== null && !isDeepStrictEqual(report.lastChange, before.lastChange)) note(report, state);
  return [];
}

function note({ file, entries, lastChange }: SettingsReport, { log, audit }: AdminState): void {
  if (lastChange === null) return;
  const { by, problems, warnings, changed } = lastChange;
  if (problems.length > 0) return log.error('the settings stay as they were', { by, file, problems });
  const waitsForRestart = entries.filter(({ afterRestart }) => afterRestart !== null).map(({ path }) => path);
  const waits = waitsForRestart.length > 0 ? { waitsForRestart } : {};
  log.info('the settings were read anew', { by, file, changed, ...waits });
  for (const warning of warnings) log.warn(warning);
  // What is set through the API has its row from there.
  if (by === 'api' || changed.length === 0) return;
  audit.recordIfPossible('settings.reload', file ?? '', { by, changed }, (reason) =>
    log.warn('an audit row could not be written', { action: 'settings.reload', reason }),
  );
}
