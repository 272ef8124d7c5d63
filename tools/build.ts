import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';

// Makes dist/, what the published package runs: Node does not strip types inside node_modules. `npm pack` needs it done
// first, and says so by failing in CI: .npmrc switches lifecycle scripts off, `prepack` among them.

const entry = 'dist/main.js';

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (!readFileSync(entry, 'utf8').startsWith('#!/usr/bin/env node\n')) {
  process.stderr.write(`${entry} has no "#!/usr/bin/env node" line; put it first in src/main.ts.\n`);
  process.exit(1);
}
chmodSync(entry, 0o755);
