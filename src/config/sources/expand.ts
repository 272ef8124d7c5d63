import type { Environment } from './environment.ts';
import { bad, good, type Reading } from '../values/units.ts';

// `${NAME}` in a file's strings, so that secrets need not stand in files. There are no defaults and no nesting on
// purpose: an unset variable is a mistake that should be seen at start. `$${` writes a literal `${`.

const REFERENCE = /\$?\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Replaces every `${NAME}`; the problem names the first one that cannot be. */
export function expand(text: string, env: Environment): Reading<string> {
  let problem: string | null = null;
  const value = text.replaceAll(REFERENCE, (whole: string, name: string, end: string) => {
    if (whole.startsWith('$$')) return whole.slice(1);
    if (end === '' || !NAME.test(name)) {
      problem ??= `"${whole}" is not a reference to a variable; write \${NAME}, or $\${ for a literal \${`;
      return whole;
    }
    const found = env[name];
    if (found === undefined) problem ??= `the environment has no ${name}; set it, or write the value itself`;
    return found ?? whole;
  });
  return problem === null ? good(value) : bad(problem);
}
