import { Command, CommanderError } from 'commander';
import { flagName, rows, variableName } from '../config/table.ts';
import { type Host, whole } from './commands/admin-command.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addLogCommand } from './commands/logs.ts';
import { addModelCommands } from './commands/models.ts';
import { addNodeCommands } from './commands/nodes.ts';
import { addRequestCommands } from './commands/requests.ts';
import { addTaskCommands } from './commands/tasks.ts';
import { addTokenCommands } from './commands/tokens.ts';
import { configCheck } from './config-check.ts';
import { addCompletionCommand } from './completion/completion.ts';
import { addDoctorCommand } from './doctor/doctor.ts';
import { exitCodes, Failure } from './failure.ts';
import { serve, type ServeDeps } from './serve.ts';
import { addSettings, requestOf } from './settings-options.ts';
import { addTopCommand } from './top/top.ts';

// The command line: which words there are and what they call. What an exit code means is in failure.ts.

export interface Process extends ServeDeps, Host {
  /** Resolves with its exit code. */
  readonly runDemo: (args: readonly string[]) => Promise<number>;
}

/** Runs one command line (without the program's name); resolves with the exit code. */
export async function run(argv: readonly string[], host: Process): Promise<number> {
  let code = 0;
  const program = new Command('weir')
    .description('One door in front of many inference nodes.')
    .version(host.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: host.stdout, writeErr: host.stderr })
    .addHelpText('after', PROGRAM_EXAMPLES);

  const serveCommand = program
    .command('serve')
    .description('run the router')
    .addHelpText('after', SERVE_EXAMPLES)
    .allowExcessArguments(false);
  addSettings(serveCommand);
  serveCommand.action(async (options: Readonly<Record<string, unknown>>) => {
    code = await serve(requestOf(options, host), host);
  });

  const config = program.command('config').description('look at the configuration');
  const check = config
    .command('check')
    .description('print every setting and where it came from, or what is wrong with them')
    .allowExcessArguments(false);
  addSettings(check);
  check.action(async (options: Readonly<Record<string, unknown>>) => {
    code = await configCheck(requestOf(options, host), host.stdout, host.stderr);
  });

  addNodeCommands(program, host);
  addModelCommands(program, host);
  addTaskCommands(program, host);
  addKeyCommands(program, host);
  addTokenCommands(program, host);
  addRequestCommands(program, host);
  addLogCommand(program, host);
  addTopCommand(program, host);
  addDoctorCommand(program, host);
  addAgentCommand(program, host);
  const demo = program
    .command('demo')
    .description('see the router at work with engines of its own (in a checkout)')
    .helpOption('-h, --help', 'print this help')
    .option('--seconds <count>', 'how long a crowd asks (default: 60)', whole)
    .option('--clients <count>', 'how large it grows (default: 60)', whole)
    .option('--simulated', 'with simulated engines even where real ones can be had')
    .allowExcessArguments(false);
  demo.action(async ({ seconds, clients, simulated }: Readonly<Record<string, unknown>>) => {
    const counts = Object.entries({ seconds, clients }).filter(([, value]) => typeof value === 'number');
    const args = counts.flatMap(([name, value]) => [`--${name}`, String(value)]);
    code = await host.runDemo(simulated === true ? [...args, '--simulated'] : args);
  });
  addCompletionCommand(program, host.stdout);

  if (argv.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof Failure) {
      if (error.message !== '') host.stderr(`${error.message.trimEnd()}\n`);
      return error.code;
    }
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.done;
    host.stderr(hintFor(argv));
    return exitCodes.usage;
  }
}

/** What commander cannot know about a word it refused. */
function hintFor(argv: readonly string[]): string {
  const words = argv.map((word) => word.split('=')[0]);
  const secret = rows.find(({ path, secret: isSecret }) => isSecret === true && words.includes(`--${flagName(path)}`));
  if (secret) {
    const why = `${secret.path} has no flag, since other users of this machine can read command lines`;
    return `${why}; set ${variableName(secret.path)} instead.\n`;
  }
  const isSetting = ['--config', '-c', '--node', '-n', ...rows.map(({ path }) => `--${flagName(path)}`)].includes(
    words[0] ?? '',
  );
  return isSetting ? `Settings belong to a command: weir serve ${argv.join(' ')}\n` : '';
}

const PROGRAM_EXAMPLES = `
Examples:
  weir serve                                     find the engines on this machine and route to them
  weir serve --node http://10.0.0.5:8000         route to this node
  weir serve --config weir.yaml                  take everything from a file
  weir config check --config weir.yaml           see what a file means before using it
  weir nodes list                                what the router on this machine routes to
  weir models distribute qwen3:8b --tag fast     pull a model onto several nodes
  weir requests list --since 1h                  what happened to requests
  weir top                                       watch the fleet live
  weir doctor                                    what is wrong here, and what to do
  weir serve --help                              every setting`;

const SERVE_EXAMPLES = `
Every setting can also stand in the file (queue.maxWaiters) or in a variable (WEIR_QUEUE_MAX_WAITERS).
A flag wins over a variable, a variable over the file. The admin token has no flag: set WEIR_ADMIN_TOKEN.

Examples:
  weir serve --node http://localhost:11434
  weir serve --node gpu-1=http://10.0.0.5:8000 --node gpu-2=http://10.0.0.6:8000
  weir serve --listen 0.0.0.0:9347 --auth-clients required
  weir serve --queue-max-waiters 200 --queue-timeout 10s`;
