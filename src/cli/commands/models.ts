import { type Command, Option } from 'commander';
import type { AnswerOf } from '../admin/admin-client.ts';
import { exitCodes, Failure } from '../failure.ts';
import { bytes, count, time } from '../output/figures.ts';
import type { Task } from '../output/progress.ts';
import { type Column, printable, table } from '../output/table.ts';
import { adminAction, type Called, examples, group, type Host, several, whole } from './admin-command.ts';
import { followTasks } from './waiting.ts';

type Model = AnswerOf<'GET /api/models'>['data'][number];

type Found = AnswerOf<'GET /api/models/catalogue'>['data'][number];

const foundColumns: readonly Column<Found>[] = [
  { title: 'MODEL', of: ({ id, gated }) => (gated ? `${id} (gated)` : id) },
  { title: 'DOWNLOADS', of: ({ downloads }) => downloads && count(downloads), isNumber: true },
  { title: 'TASK', of: ({ task }) => task },
  { title: 'UPDATED', of: ({ updatedAt }) => updatedAt && time(updatedAt).slice(0, 10) },
  { title: 'PULL AS', of: ({ pullName }) => pullName },
];

/** The others are in --json. */
const MOST_NAMES = 6;
const NO_WAIT = 'do not wait until it is done';

const columns: readonly Column<Model>[] = [
  { title: 'MODEL', of: ({ name }) => name },
  { title: 'READY', of: ({ ready }) => (ready ? 'yes' : 'no') },
  {
    title: 'SIZE',
    of: ({ nodes }) =>
      largest(
        nodes.map(({ sizeBytes }) => sizeBytes),
        bytes,
      ),
    isNumber: true,
  },
  {
    title: 'CONTEXT',
    of: ({ nodes }) =>
      largest(
        nodes.map(({ contextTokens }) => contextTokens),
        String,
      ),
    isNumber: true,
  },
  { title: 'NODES', of: ({ nodes }) => namesOf(nodes) },
];

/** `weir models …`: what the fleet has, and bringing models onto nodes. */
export function addModelCommands(program: Command, host: Host): void {
  const models = group(program, 'models', 'list models, and bring them onto nodes');
  adminAction(
    models
      .command('list')
      .description('list the models; nodes in brackets cannot serve one now, those with * have it in memory'),
    host,
    async ({ client, print }) => {
      const list = await client.call('GET /api/models', {});
      print(list, () => table(list.data, columns, 'No node offers a model.'));
    },
  );

  const search = models
    .command('search')
    .argument('<words...>', 'what to search for')
    .description('search the model hub')
    .addOption(new Option('--format <format>', 'gguf: only what Ollama and llama.cpp can run').choices(['any', 'gguf']))
    .option('--limit <count>', 'at most so many, up to 100 (default: 20)', whole)
    .addHelpText('after', examples('weir models search qwen3 coder --format gguf'));
  adminAction(search, host, searchModels);

  const pull = models
    .command('pull')
    .argument('<model>', "as the engine's own library calls it, such as llama3.2:3b")
    .requiredOption('--node <node>', 'its name or id')
    .option('--no-wait', NO_WAIT)
    .description('pull a model onto a node')
    .addHelpText('after', examples('weir models pull llama3.2:3b --node gpu-1'));
  adminAction(pull, host, async (called) => {
    const params = { id: called.options.text('node') ?? '' };
    await follow(
      called,
      await called.client.call('POST /api/nodes/:id/models/pull', { params, body: { model: modelOf(called) } }),
    );
  });

  const distribute = models
    .command('distribute')
    .argument('<model>', "as the engines' own library calls it")
    .option('--node <node>', 'onto this node; may be given several times', several)
    .option('--tag <tag>', 'onto nodes with this tag; may be given several times', several)
    .addOption(new Option('--fits', 'onto every node whose memory is known to suffice').conflicts('all'))
    .option('--all', 'onto every node that can')
    .option('--no-wait', NO_WAIT)
    .description('pull a model onto several nodes')
    .addHelpText(
      'after',
      examples('weir models distribute qwen3:8b --tag fast', 'weir models distribute qwen3:8b --fits --no-wait'),
    );
  adminAction(distribute, host, distributeModel);

  const load = models
    .command('load')
    .argument('<model>', 'a model that the node has')
    .requiredOption('--node <node>', 'its name or id')
    .addOption(new Option('--pin', 'keep it there until it is unloaded').conflicts('keepAlive'))
    .option('--keep-alive <duration>', 'keep it there for so long after its last use, such as 30m')
    .option('--no-wait', NO_WAIT)
    .description("load a model into a node's memory");
  adminAction(load, host, async (called) => {
    const { client, options } = called;
    const keepAlive = options.isSet('pin') ? 'pinned' : options.text('keepAlive');
    const params = { id: options.text('node') ?? '' };
    await follow(
      called,
      await client.call('POST /api/nodes/:id/models/load', { params, body: { model: modelOf(called), keepAlive } }),
    );
  });

  const unload = models
    .command('unload')
    .argument('<model>', "a model in the node's memory")
    .requiredOption('--node <node>', 'its name or id')
    .option('--no-wait', NO_WAIT)
    .description("unload a model from a node's memory");
  adminAction(unload, host, async (called) => {
    const params = { id: called.options.text('node') ?? '' };
    await follow(
      called,
      await called.client.call('POST /api/nodes/:id/models/unload', { params, body: { model: modelOf(called) } }),
    );
  });
}

async function searchModels({ client, words, options, host, print }: Called): Promise<void> {
  const format = options.text('format') === 'gguf' ? ('gguf' as const) : undefined;
  const query = { q: words.join(' '), format, limit: options.number('limit')?.toString() };
  const answer = await client.call('GET /api/models/catalogue', { query });
  if (answer.stale)
    host.stderr(`The hub cannot be asked now; this is what it said at ${time(answer.fetchedAt)} UTC.\n`);
  print(answer, () => table(answer.data, foundColumns, 'The hub knows none.'));
}

async function distributeModel(called: Called): Promise<void> {
  const { client, options, host } = called;
  const nodes = [...options.texts('node')];
  const tags = [...options.texts('tag')];
  const where = options.isSet('fits') ? ('fits' as const) : options.isSet('all') ? ('all' as const) : null;
  if (nodes.length === 0 && tags.length === 0 && where === null) {
    throw new Failure(exitCodes.usage, 'Say onto which nodes: --node NAME, --tag TAG, --fits or --all.');
  }
  const body = {
    model: modelOf(called),
    ...(nodes.length > 0 ? { nodes } : {}),
    ...(tags.length > 0 ? { tags } : {}),
    ...(where === null ? {} : { where }),
  };
  const begun = await client.call('POST /api/models/distribute', { body });
  for (const { name, reason } of begun.skipped) host.stderr(`not onto ${printable(name)}: ${printable(reason)}\n`);
  const query = { distribution: begun.distribution, limit: '1000' };
  const look = async (): Promise<readonly Task[]> => (await client.call('GET /api/tasks', { query })).data;
  await followTasks(called, begun.data, look, (data) => ({ ...begun, data }));
}

async function follow(called: Called, begun: Task): Promise<void> {
  const params = { id: begun.id };
  await followTasks(called, [begun], async () => [await called.client.call('GET /api/tasks/:id', { params })]);
}

function modelOf({ words }: Called): string {
  return words[0] ?? '';
}

function largest(values: readonly (number | null)[], show: (value: number) => string): string | null {
  const told = values.filter((value) => value !== null);
  return told.length === 0 ? null : show(Math.max(...told));
}

function namesOf(nodes: Model['nodes']): string {
  const hidden = nodes.length - MOST_NAMES;
  const names = nodes.slice(0, MOST_NAMES).map(nameOf).join(', ');
  return hidden > 0 ? `${names} and ${hidden} more` : names;
}

function nameOf({ name, ready, loaded }: Model['nodes'][number]): string {
  const told = loaded === true ? `${name}*` : name;
  return ready ? told : `(${told})`;
}
