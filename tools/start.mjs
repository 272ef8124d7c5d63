// `npm start`: runs the router from a checkout as users of the package run it, compiled. Stripping types at run time works too
// (`node src/main.ts`), but costs the process some 25 MB that stay. Compiles only when a source is newer than the output.
// Plain JavaScript, so that starting needs no TypeScript by itself.
import { spawnSync } from 'node:child_process';
import { globSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = join(root, 'dist', 'main.js');

/** Epoch ms of the last change, 0 where the file is absent. */
const changedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const sources = globSync(['src/**/*.ts', 'tsconfig*.json', 'package.json'], { cwd: root });
const newest = Math.max(...sources.map((source) => changedAt(join(root, source))));
if (changedAt(compiled) < newest) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) {
    process.stderr.write('The sources could not be compiled. Run `npm ci` first; it installs the compiler.\n');
    process.exit(1);
  }
}
process.argv[1] = compiled;
await import('../dist/main.js');
