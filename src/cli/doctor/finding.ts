import { printable } from '../output/table.ts';

// What the doctor says: what was looked at, how it is, and, where it is not well, what to do. A warning is something that works and will
// surprise; a problem is something that does not work.

export interface Finding {
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'problem';
  readonly what: string;
  /** What to do; null where all is well. */
  readonly advice: string | null;
}

export function ok(check: string, what: string): Finding {
  return { check, verdict: 'ok', what, advice: null };
}

export function warning(check: string, what: string, advice: string): Finding {
  return { check, verdict: 'warning', what, advice };
}

export function problem(check: string, what: string, advice: string): Finding {
  return { check, verdict: 'problem', what, advice };
}

/** For people: a line each, the advice below it. */
export function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, verdict, what, advice }) => {
    const line = `${verdict.padEnd(7)}  ${check.padEnd(width)}  ${printable(what)}\n`;
    return advice === null ? line : `${line}${' '.repeat(11 + width)}→ ${printable(advice)}\n`;
  });
  const count = (verdict: Finding['verdict']): number => findings.filter((each) => each.verdict === verdict).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const sum =
    problems + warnings === 0
      ? 'All is well.'
      : `${problems} ${problems === 1 ? 'problem' : 'problems'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`;
  return `${lines.join('')}\n${sum}\n`;
}
