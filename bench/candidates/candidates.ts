import { execFileSync } from 'node:child_process';
import { TWO_THREADS } from '../parts/parts.ts';
import type { Absent, Candidate } from './candidate.ts';
import { direct } from './direct.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { rivals } from './rivals.ts';
import { type Build, buildCommit, buildOverlay, buildWorkTree } from './weir-build.ts';
import { type Variant, weir } from './weir.ts';

export interface Wanted {
  readonly only: readonly string[] | undefined;
  readonly weir: string | undefined;
  /** Paths of the working tree to lay over that commit. */
  readonly overlay: readonly string[] | undefined;
  readonly baseline: readonly string[] | undefined;
  readonly variant: readonly string[] | undefined;
}

export interface Gathered extends Disposable {
  readonly present: readonly Candidate[];
  readonly absent: readonly Absent[];
}

/** Builds and installs what is to be measured. Throws where Weir does not build. */
export function candidatesOf(asked: Wanted): Gathered {
  const { only, baseline = [], variant = [] } = asked;
  const wanted = ({ name }: { readonly name: string }): boolean =>
    only === undefined || only.some((word) => name === word || (word === 'weir' && name.startsWith('weir')));
  const build = buildOf(asked);
  const found: (Candidate | Absent)[] = [direct, weir(build, { name: 'weir' })];
  for (const base of baseline) {
    const before = buildCommit(base);
    found.push(weir(before, { name: `weir@${before.version}` }));
  }
  if (hasThreads(build)) found.push(weir(build, { name: TWO_THREADS, flags: ['--threads=2'] }));
  else found.push({ name: TWO_THREADS, absent: 'this commit has no --threads' });
  for (const one of variant) found.push(weir(build, variantOf(one)));
  found.push(nginx(), haproxy(), ...rivals((name) => wanted({ name })));
  return {
    present: found
      .filter((one) => 'start' in one)
      .filter((one) => wanted(one) || variant.some((v) => v.startsWith(`${one.name}=`))),
    absent: found.filter((one) => 'absent' in one).filter(wanted),
    [Symbol.dispose]: build.remove,
  };
}

function hasThreads({ main }: Build): boolean {
  return execFileSync(process.execPath, [main, 'serve', '--help'], { encoding: 'utf8' }).includes('--threads');
}

function buildOf({ weir: ref, overlay }: Wanted): Build {
  if (overlay) return buildOverlay(ref ?? 'HEAD', overlay);
  return ref === undefined ? buildWorkTree() : buildCommit(ref);
}

/** `NAME=NODE-FLAGS -- SERVE-FLAGS`; without `--` all are flags of serve. */
function variantOf(written: string): Variant {
  const [name = '', ...rest] = written.split('=');
  const words = rest
    .join('=')
    .split(' ')
    .filter((word) => word !== '');
  const bar = words.indexOf('--');
  if (name === '' || words.length === 0) throw new Error(`--variant ${written}: write NAME=FLAGS`);
  return { name, nodeFlags: words.slice(0, Math.max(0, bar)), flags: words.slice(bar + 1) };
}
