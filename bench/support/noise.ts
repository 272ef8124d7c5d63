import { execFileSync } from 'node:child_process';
import { LOAD_CORE, ROUTER_CORE } from '../candidates/spawned.ts';
import { spreadOf, type Spread } from './spread.ts';

// How noisy the machine is: the same fixed work, again and again, on each core. On a quiet machine its times agree within a few percent; what
// they differ by is a floor below which no difference between candidates means anything.

const ROUNDS = 11;
const work =
  'let t=[];for(let r=0;r<ROUNDS+2;r++){const a=performance.now();let x=1;for(let i=0;i<8e6;i++)x=(x*1103515245+i)|0;t.push(performance.now()-a);globalThis.x=x}process.stdout.write(JSON.stringify(t.slice(2)))';

export interface Noise {
  /** ms of the fixed work by core. */
  readonly byCore: readonly { readonly core: number; readonly ms: Spread }[];
}

export function measureNoise(): Noise {
  const byCore = [ROUTER_CORE, LOAD_CORE].map((core) => {
    const program = work.replace('ROUNDS', String(ROUNDS));
    const printed = execFileSync('taskset', ['-c', String(core), process.execPath, '-e', program], {
      encoding: 'utf8',
    });
    const times: unknown = JSON.parse(printed);
    return { core, ms: spreadOf(Array.isArray(times) ? times.map(Number) : []) };
  });
  return { byCore };
}

export function sayNoise({ byCore }: Noise): string {
  return byCore
    .map(({ core, ms }) => {
      const over = (ms.max / ms.min - 1) * 100;
      return `core ${core}: ${ms.median.toFixed(1)} ms, slowest ${over.toFixed(0)} % over fastest`;
    })
    .join('; ');
}
