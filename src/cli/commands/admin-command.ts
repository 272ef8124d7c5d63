import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Clock } from '../../lib/clock.ts';
import { type AdminClient, createAdminClient } from '../admin/admin-client.ts';
import { type ConnectionFlags, findConnection } from '../admin/connection.ts';
import type { SignalSource } from '../signals.ts';
import type { Terminal } from '../terminal.ts';

// What all commands that talk to a router share: the options that say which, the client, and --json. Programs get the admin API's own
// answer with --json, as /api/openapi.json describes it; people get tables, which may change.

export interface Host {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signals: SignalSource;
}

export interface Called {
  readonly client: AdminClient;
  readonly host: Host;
  /** The words after the command. */
  readonly words: readonly string[];
  readonly options: Options;
  /** Prints the answer as JSON where that was asked for, else what `people` makes of it. */
  readonly print: (answer: unknown, people: () => string) => void;
}

/** The options of one command line, by their names in the code. */
export class Options {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  text(name: string): string | null {
    const value = this.#values[name];
    return typeof value === 'string' ? value : null;
  }

  number(name: string): number | null {
    const value = this.#values[name];
    return typeof value === 'number' ? value : null;
  }

  /** Of an option that may be given several times. */
  texts(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  }

  /** Of an option written --no-NAME. */
  isTurnedOff(name: string): boolean {
    return this.#values[name] === false;
  }

  isSet(name: string): boolean {
    return this.#values[name] === true;
  }
}

/** Adds to `command` what tells which router, and runs `act` with a client of it, closed afterwards. */
export function adminAction(command: Command, host: Host, act: (called: Called) => Promise<void>): Command {
  addConnection(command);
  command.option('--json', "print the admin API's answer").allowExcessArguments(false);
  return command.action(async () => {
    const options = new Options(command.opts<Record<string, unknown>>());
    const surroundings = { env: host.env, cwd: host.cwd, now: host.clock.wall() };
    const client = createAdminClient(await findConnection(connectionFlags(options), surroundings), host.clock);
    const print: Called['print'] = (answer, people) =>
      host.stdout(options.isSet('json') ? `${JSON.stringify(answer, null, 2)}\n` : people());
    try {
      await act({ client, host, words: command.args, options, print });
    } finally {
      client.close();
    }
  });
}

const GROUP = 'Which router:';

/** The options that say which router. */
export function addConnection(command: Command): void {
  const add = (flags: string, about: string): void => {
    command.addOption(new Option(flags, about).helpGroup(GROUP));
  };
  command.helpOption('-h, --help', 'print this help');
  add('--admin <url>', 'its admin address (default: that of the router on this machine)');
  add('--token <token>', 'its admin token; others here can see it, so rather set WEIR_ADMIN_TOKEN');
  add('--ca <file>', 'PEM file of the authority that signed its certificate');
  add('-c, --config <file>', 'its configuration file (WEIR_CONFIG)');
  add('--data-dir <path>', 'its data directory, where address and token are found (WEIR_DATA_DIR)');
}

export function connectionFlags(options: Options): ConnectionFlags {
  return {
    admin: options.text('admin'),
    token: options.text('token'),
    ca: options.text('ca'),
    config: options.text('config'),
    dataDir: options.text('dataDir'),
  };
}

/** Collects an option that may be given several times. */
export function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Reads a whole number from 1. */
export function whole(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('Write a whole number of at least 1.');
}

/** Reads a number above 0. */
export function positive(value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('Write a number above 0.');
}

/** A command that only holds others. */
export function group(program: Command, name: string, about: string): Command {
  return program.command(name).description(about).helpOption('-h, --help', 'print this help').helpCommand(false);
}

/** Help's closing lines. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
