import type { SourceFile } from './boundaries.ts';

// A code in the error table that no test provokes is a promise nobody has seen kept. A test counts if it names the code, in
// quotes, in what it asserts: inside a call of `assert`, or in a table of cases of a file that asserts. Naming it only to
// build an error by hand (`clientError('code'`, `code: 'code'` outside an assertion) does not count. This sees that a code
// is expected somewhere, not that the situation is the right one; that is for the reader of the test.

/** The codes, of those given, that no test file expects. */
export function findUntestedCodes(codes: readonly string[], testFiles: readonly SourceFile[]): string[] {
  const expected = testFiles.map(({ text }) => expectations(text)).join('\n');
  return codes.filter((code) => !new RegExp(`['"\`][^'"\`\\n]*\\b${code}\\b`).test(expected));
}

/** The parts of a test file that say what is expected: the arguments of `assert…(…)`, and rows of tables (`['…'` lines). */
function expectations(text: string): string {
  const asserted = Array.from(text.matchAll(/\bassert\w*(?:\.\w+)?\(/g), ({ index, 0: call }) =>
    balanced(text, index + call.length),
  );
  const rows = text.includes('assert') ? (text.match(/^\s*\[.*\],?$/gm) ?? []) : [];
  return [...asserted, ...rows].join('\n');
}

/** From `start`, just behind an opening parenthesis, to the one that closes it. Parentheses in strings may end it early or late by some text. */
function balanced(text: string, start: number): string {
  let depth = 1;
  let at = start;
  for (; at < text.length && depth > 0; at += 1) {
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
  }
  return text.slice(start, at);
}
