import { parseArgs } from 'node:util';
import { parseDuration } from '../../src/config/values/units.ts';
import type { Run } from './simulate.ts';
import { syntheticWorkloads, type SyntheticName } from './workload/synthetic.ts';

// The simulator's flags. Durations have units, as in the router's own configuration.

export const usage = `Simulates a fleet of inference engines under a router, on a virtual clock.

  npm run sim -- --fleet FILE (--trace FILE | --workload NAME) [--policy NAME]... [options]

  --fleet FILE          the engines, as docs/simulator.md describes; or the name of a file in sim/fleet/fleets
  --trace FILE          requests: Mooncake's JSON lines or Azure's CSV
  --workload NAME       made-up requests instead: ${syntheticWorkloads.join(', ')}
  --policy NAME         default weir (the default of the configuration); may be given several times; --list names all
  --load X              times the fleet's capacity (default 0.8); may be given several times
  --seed N              default 1; may be given several times; runs with one seed have the same arrivals
  --minutes N           length of a run (default 10), up to 20000 requests and half of a trace
  --requests N          how many requests instead
  --hog N               how many times as much as others the hog of --workload hog sends (default 10)
  --callers N           how many callers a trace is dealt out to (default 20)
  --deadline DURATION   what a refused request counts as (default 60s)
  --patience DURATION   clients leave when the first token takes longer (default 600s; 0: never)
  --retries N           how often a refused client comes again, after Retry-After or its own back-off (default 0)
  --ttft-slo DURATION   objective for the first token (default 2s), and 1 s more for each 4000 prompt tokens
  --tpot-slo DURATION   objective for the time per token (default 100ms)
  --tell-slo            clients tell Weir their objective for the first token (x-weir-ttft-slo-ms)
  --warm-up SHARE       share of the first arrivals that no figure counts (default 0)
  --max-waiters N, --queue-timeout DURATION   Weir's waiting room (default 1024, 30s)
  --json                one JSON object a run, one a line; without it a table
  --list                the policies and the versions they follow
  --help                this text
`;

export interface Options {
  readonly fleet: string;
  readonly trace: string | null;
  readonly workload: SyntheticName | null;
  readonly policies: readonly string[];
  readonly loads: readonly number[];
  readonly seeds: readonly number[];
  readonly minutes: number;
  /** Null: as many as fill the minutes. */
  readonly requests: number | null;
  readonly hogTimes: number;
  readonly callers: number;
  readonly isJson: boolean;
  readonly settings: Pick<Run, 'deadlineMs' | 'patienceMs' | 'comebacks' | 'warmUp' | 'objective' | 'weir'>;
}

/** `help` or `list` where that was asked for. Throws an Error with a sentence that says which flag is wrong. */
export function parseOptions(args: readonly string[]): Options | 'help' | 'list' {
  const text = { type: 'string' } as const;
  const many = { type: 'string', multiple: true } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      fleet: text,
      trace: text,
      workload: text,
      policy: many,
      load: many,
      seed: many,
      minutes: text,
      requests: text,
      hog: text,
      callers: text,
      deadline: text,
      patience: text,
      retries: text,
      'ttft-slo': text,
      'tpot-slo': text,
      'tell-slo': flag,
      'warm-up': text,
      'max-waiters': text,
      'queue-timeout': text,
      json: flag,
      list: flag,
      help: { ...flag, short: 'h' },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  if (values.fleet === undefined) throw new Error('--fleet is missing: name a fleet file, such as --fleet mixed');
  const workload = values.workload === undefined ? null : syntheticWorkloads.find((name) => name === values.workload);
  if (workload === undefined) {
    throw new Error(`--workload ${values.workload}: choose one of ${syntheticWorkloads.join(', ')}`);
  }
  if ((workload === null) === (values.trace === undefined)) {
    throw new Error('give either --trace FILE or --workload NAME');
  }
  const objective = {
    ttftMs: durationOf('ttft-slo', values['ttft-slo'] ?? '2s'),
    ttftMsPerPromptToken: 1 / 4,
    tpotMs: durationOf('tpot-slo', values['tpot-slo'] ?? '100ms'),
  };
  const patienceMs = durationOf('patience', values.patience ?? '600s');
  return {
    fleet: values.fleet,
    trace: values.trace ?? null,
    workload,
    policies: values.policy ?? ['weir'],
    loads: (values.load ?? ['0.8']).map((each) => numberOf('load', each, Number.MIN_VALUE)),
    seeds: (values.seed ?? ['1']).map((each) => wholeOf('seed', each, 0)),
    minutes: numberOf('minutes', values.minutes ?? '10', Number.MIN_VALUE),
    requests: values.requests === undefined ? null : wholeOf('requests', values.requests, 1),
    hogTimes: numberOf('hog', values.hog ?? '10', 1),
    callers: wholeOf('callers', values.callers ?? '20', 1),
    isJson: values.json ?? false,
    settings: {
      deadlineMs: durationOf('deadline', values.deadline ?? '60s'),
      patienceMs: patienceMs === 0 ? Infinity : patienceMs,
      comebacks: wholeOf('retries', values.retries ?? '0', 0),
      warmUp: numberOf('warm-up', values['warm-up'] ?? '0', 0, 0.9),
      objective,
      weir: {
        told: values['tell-slo'] === true ? objective : null,
        queue: {
          maxWaiters: wholeOf('max-waiters', values['max-waiters'] ?? '1024', 1),
          timeoutMs: durationOf('queue-timeout', values['queue-timeout'] ?? '30s'),
          maxBytes: 256 * 1024 ** 2,
          maxShare: 0.75,
          reserved: 0,
        },
        cacheTtlMs: 10,
        firstByteMs: 300_000,
        betweenBytesMs: 120_000,
      },
    },
  };
}

function durationOf(name: string, written: string): number {
  const read = parseDuration(written);
  if (!read.ok) throw new Error(`--${name}: ${read.problem}`);
  return read.value;
}

function numberOf(name: string, written: string, least: number, most = Infinity): number {
  const value = Number(written);
  if (written.trim() !== '' && value >= least && value <= most) return value;
  const range =
    most === Infinity
      ? `a number above ${least === Number.MIN_VALUE ? 0 : least}`
      : `a number from ${least} to ${most}`;
  throw new Error(`--${name} ${written}: write ${range}`);
}

function wholeOf(name: string, written: string, least: number): number {
  const value = numberOf(name, written, least);
  if (Number.isInteger(value)) return value;
  throw new Error(`--${name} ${written}: write a whole number`);
}
