import { globSync, readFileSync } from 'node:fs';
import { errors } from '../../src/fleet/errors.ts';
import { findBoundaryViolations, type SourceFile } from './boundaries.ts';
import { findDeadLinks, findUnknownMetrics } from './document-claims.ts';
import { findUntestedCodes } from './error-coverage.ts';

// The house rules that no ready-made tool knows, run by quality.ts: import boundaries, tested error codes, and documents
// that name only what there is.

function read(pattern: string): SourceFile[] {
  return globSync(pattern).map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }));
}

const codes = Object.keys(errors);
const testFiles = ['src/**/*.test.ts', 'test/**/*.test.ts'].flatMap(read);
const sources = read('src/**/*.ts');
const documents = ['*.md', 'docs/**/*.md'].flatMap(read);
const problems = [
  ...findBoundaryViolations(sources),
  ...findDeadLinks(documents),
  ...findUnknownMetrics(documents, sources),
  ...findUntestedCodes(codes, testFiles).map((code) => `src/fleet/errors.ts: no test expects the code "${code}"`),
];
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
