import { parseArgs } from 'node:util';
import { localEngineKinds } from '../../src/fleet/glossary.ts';
import { parseFaults, type SettledFault } from './faults.ts';
import type { EngineOptions } from './options.ts';

// The simulated engine's flags. One flag per option, so that a fleet can be put together in a shell.

const NUMBERS = {
  port: 'port',
  slots: 'slots',
  'max-waiting': 'maxWaiting',
  'prompt-rate': 'promptTokensPerSecond',
  'step-ms': 'stepMs',
  'step-per-sequence-ms': 'stepPerSequenceMs',
  context: 'contextTokens',
  'load-ms': 'loadMs',
  'max-resident': 'maxResident',
  'time-scale': 'timeScale',
} as const satisfies Record<string, keyof EngineOptions>;

export const usage = `A simulated inference engine.

  node sim/engine.ts [--engine KIND] [--port N] [--slots N] [--model NAME]...

  --engine KIND             ${localEngineKinds.join(', ')} (default openai)
  --host HOST, --port N     where to listen (default 127.0.0.1 and any free port)
  --model NAME              a model it serves; may be given several times (default llama3)
  --slots N                 requests computed at once (default 4); --max-waiting N may wait inside it
  --output-tokens MIN-MAX   length of an answer that nothing limits (default 16-64)
  --prompt-rate N           prompt tokens per second (default 8000)
  --step-ms N, --step-per-sequence-ms N   one token of a batch of n takes the first + n times the second (default 10, 1)
  --context N               tokens a prompt may have (default 8192)
  --cold, --load-ms N       models start out of memory and take N ms to load; --max-resident N fit in it
  --keep-alive-ms N         idle connections are closed after N ms (default as the engine does; never: "never")
  --api-key KEY             required of clients
  --time-scale N            everything N times faster
  --fault FAULT             such as "frozen", "reset,afterBytes=200,times=2" or "overloaded,on=all,retryAfterSeconds=3";
                            may be given several times, and later by POST /sim/faults
`;

/** Flags to options; throws an Error with a sentence that says which flag is wrong. Null: help was asked for. */
export function parseCommandLine(args: readonly string[]): EngineOptions | null {
  const text = { type: 'string' } as const;
  const many = { type: 'string', multiple: true } as const;
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      ...Object.fromEntries(Object.keys(NUMBERS).map((flag) => [flag, text])),
      engine: text,
      host: text,
      'keep-alive-ms': text,
      'output-tokens': text,
      'api-key': text,
      model: many,
      fault: many,
      cold: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  const kind = localEngineKinds.find((known) => known === (values.engine ?? 'openai'));
  if (!kind) throw new Error(`--engine ${values.engine}: choose one of ${localEngineKinds.join(', ')}`);
  const numbers: { -readonly [Option in (typeof NUMBERS)[keyof typeof NUMBERS]]?: number } = {};
  for (const [flag, option] of Object.entries(NUMBERS)) {
    const written = Object.entries(values).find(([name]) => name === flag)?.[1];
    if (typeof written !== 'string') continue;
    numbers[option] = readNumber(flag, written);
  }
  const keepAlive = values['keep-alive-ms'];
  return {
    ...numbers,
    kind,
    cold: values.cold ?? false,
    faults: (values.fault ?? []).map((written) => readFault(written)),
    ...(values.model ? { models: values.model } : {}),
    ...(keepAlive === undefined
      ? {}
      : { keepAliveMs: keepAlive === 'never' ? null : readNumber('keep-alive-ms', keepAlive) }),
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(values['api-key'] === undefined ? {} : { apiKey: values['api-key'] }),
    ...(values['output-tokens'] === undefined ? {} : { outputTokens: readRange(values['output-tokens']) }),
  };
}

function readNumber(flag: string, written: string): number {
  const value = Number(written);
  if (Number.isNaN(value) || written.trim() === '') throw new Error(`--${flag} ${written}: write a number`);
  return value;
}

function readFault(written: string): SettledFault {
  const [kind, ...fields] = written.split(',');
  const entries = fields.map((field) => {
    const [name = '', ...rest] = field.split('=');
    const value = rest.join('=');
    return [name, /^[\d.]+$/.test(value) ? Number(value) : value] as const;
  });
  try {
    const [fault] = parseFaults([{ kind, ...Object.fromEntries(entries) }]);
    if (fault) return fault;
    throw new Error('not a fault');
  } catch (error) {
    throw new Error(`--fault ${written}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function readRange(written: string): { min: number; max: number } {
  const [, min, max] = /^(\d+)(?:-(\d+))?$/.exec(written) ?? [];
  if (min === undefined) throw new Error(`--output-tokens ${written}: write MIN-MAX, such as 16-64`);
  return { min: Number(min), max: Number(max ?? min) };
}
