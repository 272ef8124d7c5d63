import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationReference } from '../src/config/describe.ts';
import { compatibilityPage, lockedVersions } from './docs/compatibility-page.ts';
import { errorsPage } from './docs/errors-page.ts';
import { progressTable, withTable } from './docs/progress-table.ts';
import { seedRows } from './quality/seed-rows.ts';
import { agents, clients } from '../test/clients/clients.ts';

// Writes the documents that are made from code. With --check it writes nothing and fails if one is out of date, so that
// they cannot fall behind unnoticed.

const root = join(import.meta.dirname, '..');

const pages: Readonly<Record<string, (present: string) => string>> = {
  'docs/compatibility.md': () =>
    compatibilityPage(
      Object.values(clients),
      agents,
      lockedVersions(readFileSync(join(root, 'package-lock.json'), 'utf8')),
    ),
  'docs/configuration.md': () => configurationReference(),
  'docs/errors.md': () => errorsPage(),
  'docs/progress.md': (present) => withTable(present, progressTable(seedRows)),
};

const isCheck = process.argv.includes('--check');
for (const [path, render] of Object.entries(pages)) {
  const file = join(root, path);
  const present = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const wanted = render(present);
  if (present === wanted) continue;
  if (isCheck) {
    process.stderr.write(`${path} is out of date; run "npm run docs" and commit it.\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, wanted);
    process.stdout.write(`${path} written\n`);
  }
}
