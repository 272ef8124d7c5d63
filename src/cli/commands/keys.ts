import type { Command } from 'commander';
import type { AdminClient, AnswerOf } from '../admin/admin-client.ts';
import { exitCodes, Failure } from '../failure.ts';
import { time } from '../output/figures.ts';
import { type Column, printable, table } from '../output/table.ts';
import { adminAction, type Called, examples, group, type Host, positive, several, whole } from './admin-command.ts';
import { readMoment } from './moment.ts';

type Key = AnswerOf<'GET /api/keys'>['data'][number];

const columns: readonly Column<Key>[] = [
  { title: 'LABEL', of: ({ label }) => label },
  { title: 'MODELS', of: ({ models }) => models?.join(',') ?? 'all' },
  { title: 'WEIGHT', of: ({ weight }) => weight, isNumber: true },
  { title: 'AT ONCE', of: ({ maxConcurrent }) => maxConcurrent, isNumber: true },
  { title: 'PER MINUTE', of: ({ ratePerMinute }) => ratePerMinute, isNumber: true },
  { title: 'EXPIRES', of: ({ expiresAt }) => (expiresAt === null ? 'never' : time(expiresAt)) },
  { title: 'MANAGES', of: ({ mayManage }) => (mayManage ? 'yes' : 'no') },
  { title: 'RESUMES', of: ({ resume }) => (resume ? 'yes' : 'no') },
  { title: 'FROM', of: ({ managedBy }) => managedBy },
  { title: 'ID', of: ({ id }) => id },
];

/** `weir keys …`: the keys of clients. */
export function addKeyCommands(program: Command, host: Host): void {
  const keys = group(program, 'keys', "list, make and revoke clients' keys");
  adminAction(keys.command('list').description('list the keys'), host, async ({ client, print }) => {
    const list = await client.call('GET /api/keys', {});
    print(list, () => table(list.data, columns, 'There is no key. Make one: weir keys add LABEL'));
  });

  const add = keys
    .command('add')
    .argument('<label>', 'what people call it')
    .description('make a key; it is printed once and kept nowhere')
    .option('--model <name>', 'a model it may use (default: all); may be given several times', several)
    .option('--weight <number>', 'its share where callers compete (default: 1)', positive)
    .option('--max-concurrent <count>', 'requests at the same time (default: no limit)', whole)
    .option('--per-minute <count>', 'requests per minute (default: no limit)', positive)
    .option('--may-manage', "forward Ollama's commands that change a node for it (pull, push, create, copy, delete)")
    .option('--no-resume', 'never go on at another node with a stream of its that breaks')
    .option('--expires <time>', 'when it ends: in 30d, or at 2027-01-31T18:00:00Z (default: never)')
    .addHelpText(
      'after',
      examples('weir keys add team-a', 'KEY=$(weir keys add ci --model llama3 --per-minute 60 --expires 30d)'),
    );
  adminAction(add, host, addKey);

  const revoke = keys
    .command('revoke')
    .argument('<key>', 'its label or id')
    .description('revoke a key; running answers finish')
    .option('--abort', 'end what runs under it too');
  adminAction(revoke, host, async ({ client, words, options, host: { stdout } }) => {
    const { id, label } = await findKey(client, words[0] ?? '');
    const query = options.isSet('abort') ? { query: { abort: 'true' as const } } : {};
    await client.call('DELETE /api/keys/:id', { params: { id }, ...query });
    if (!options.isSet('json')) stdout(`${printable(label)} is revoked.\n`);
  });
}

async function addKey({ client, host, words, options, print }: Called): Promise<void> {
  const expires = options.text('expires');
  const models = options.texts('model');
  const made = await client.call('POST /api/keys', {
    body: {
      label: words[0] ?? '',
      models: models.length === 0 ? null : [...models],
      weight: options.number('weight') ?? 1,
      maxConcurrent: options.number('maxConcurrent'),
      ratePerMinute: options.number('perMinute'),
      mayManage: options.isSet('mayManage'),
      resume: !options.isTurnedOff('resume'),
      expiresAt: expires === null ? null : readMoment('--expires', expires, (ms) => host.clock.wall() + ms),
    },
  });
  // The key alone on standard output, so that a script can take it.
  if (!options.isSet('json')) host.stderr(`The key of ${printable(made.label)}, shown only now:\n`);
  print(made, () => `${made.key}\n`);
}

/** By id, or by a label that only one key has. Throws `Failure`. */
async function findKey(client: AdminClient, wanted: string): Promise<Key> {
  const { data } = await client.call('GET /api/keys', {});
  const found = data.filter(({ id, label }) => id === wanted || label === wanted);
  const [only] = found;
  if (only && found.length === 1) return only;
  if (!only) throw new Failure(exitCodes.notFound, `There is no key ${wanted}. See: weir keys list`);
  throw new Failure(exitCodes.usage, `${found.length} keys are called ${wanted}. Name one by its id: weir keys list`);
}
