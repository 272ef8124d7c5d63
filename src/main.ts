#!/usr/bin/env node
// Nothing is imported before the version is checked: an older Node would fail on an import with a message that helps
// nobody.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  process.stderr.write(
    `weir needs Node 24.7 or newer; this is ${process.versions.node}. From a checkout, npm start brings its own.\n`,
  );
  process.exitCode = 2;
} else {
  const { restartWithHeapFlags } = await import('./cli/heap-flags.ts');
  restartWithHeapFlags(import.meta.filename);
  const { runProcess } = await import('./cli/run-process.ts');
  await runProcess();
}
