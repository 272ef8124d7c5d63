import type { ControlPlaneStart } from '../fleet/messages.ts';
import type { Settings } from '../fleet/settings.ts';
import { plainReport, type SettingsReport } from '../fleet/settings-report.ts';

/** The settings that this plane goes by: one value, replaced whole, read where it is used and not kept elsewhere. */
export class SettingsInForce {
  #settings: Settings;
  #report: SettingsReport;

  constructor({ settings, report }: ControlPlaneStart) {
    this.#settings = settings;
    this.#report = report ?? plainReport(settings);
  }

  get settings(): Settings {
    return this.#settings;
  }

  get report(): SettingsReport {
    return this.#report;
  }

  replace(report: SettingsReport): void {
    this.#report = report;
    // Where administrators are listened to was settled at the start: the port may have been the system's choice.
    this.#settings = { ...report.settings, admin: this.#settings.admin };
  }
}
