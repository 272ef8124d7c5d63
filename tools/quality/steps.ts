// What `npm run quality` runs. Every step is one process that exits 0 or fails the whole; a warning is a failure. Two lanes
// use both cores of a small machine: the static checks beside the tests. The seed rows come after both, since
// their mutations would only slow down tests that are about to fail anyway.

export interface Step {
  readonly name: string;
  /** Arguments of Node: a script of this checkout or of a tool in node_modules, and its own arguments. */
  readonly args: readonly string[];
}

const tool = (path: string): string => `node_modules/${path}`;

const staticChecks: readonly Step[] = [
  { name: 'format', args: [tool('oxfmt/bin/oxfmt'), '--check', '.'] },
  { name: 'lint', args: [tool('oxlint/bin/oxlint'), '--deny-warnings', '.'] },
  { name: 'types', args: [tool('typescript/bin/tsc'), '-p', '.'] },
  { name: 'dead code', args: [tool('knip/bin/knip.js'), '--no-progress', '--treat-config-hints-as-errors'] },
  { name: 'house rules', args: ['tools/quality/check.ts'] },
  { name: 'documents', args: ['tools/write-docs.ts', '--check'] },
];

const tests: readonly Step[] = [{ name: 'tests', args: ['--run', 'test'] }];

const seedRows: readonly Step[] = [{ name: 'seed rows', args: ['tools/quality/seed-check.ts'] }];

/** Phases in order; the lanes of a phase run side by side, the steps of a lane one after the other. */
export const phases: readonly (readonly (readonly Step[])[])[] = [[staticChecks, tests], [seedRows]];
