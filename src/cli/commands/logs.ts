import { type Command, Option } from 'commander';
import { time } from '../output/figures.ts';
import { cell, printable } from '../output/table.ts';
import { adminAction, type Called, examples, type Host, whole } from './admin-command.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** `weir logs` of the router. */
export function addLogCommand(program: Command, host: Host): void {
  const logs = program
    .command('logs')
    .description("print the router's log, or follow it")
    .option('--tail <count>', 'how many lines, up to 2000 (default: 100)', whole)
    .addOption(new Option('--level <level>', 'of this level and above').choices([...levels]))
    .option('-f, --follow', 'go on with each line that comes, until Ctrl-C')
    .addHelpText('after', examples('weir logs --level warn', 'weir logs --follow --json | jq .model'));
  adminAction(logs, host, routerLog);
}

/** `weir nodes logs NODE`. */
export function addNodeLogCommand(nodes: Command, host: Host): void {
  const logs = nodes
    .command('logs')
    .argument('<node>', 'its name or id')
    .description("print a node's log, where it offers one")
    .option('--tail <count>', 'how many lines, up to 2000 (default: 100)', whole);
  adminAction(logs, host, async ({ client, words, options, print }) => {
    const query = { tail: options.number('tail')?.toString() };
    const log = await client.call('GET /api/nodes/:id/logs', { params: { id: words[0] ?? '' }, query });
    print(log, () => log.data.map((line) => `${printable(line)}\n`).join(''));
  });
}

async function routerLog({ client, host, options }: Called): Promise<void> {
  const isJson = options.isSet('json');
  // One line each also as JSON: a log that is followed has no end.
  const show = (line: unknown): void => host.stdout(isJson ? `${JSON.stringify(line)}\n` : `${lineOf(line)}\n`);
  const query = {
    tail: options.number('tail')?.toString(),
    level: levels.find((level) => level === options.text('level')),
  };
  if (options.isSet('follow')) {
    const ended = new AbortController();
    host.signals.on('SIGINT', () => ended.abort());
    host.signals.on('SIGTERM', () => ended.abort());
    await client.follow('GET /api/logs', { query: { ...query, follow: '1' } }, show, ended.signal);
    return;
  }
  const { data } = await client.call('GET /api/logs', { query });
  for (const line of data) show(line);
}

/** Time, level, message, then what else there is. */
function lineOf(line: unknown): string {
  if (typeof line !== 'object' || line === null) return cell(String(line));
  const { time: at, level, message, ...rest } = Object.fromEntries<unknown>(Object.entries(line));
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const moment = typeof at === 'number' ? time(at) : '-';
  return printable([moment, String(level).padEnd(5), String(message), ...fields].join(' '));
}
