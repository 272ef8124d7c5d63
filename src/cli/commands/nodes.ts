import { type Command, Option } from 'commander';
import { engineKinds } from '../../fleet/glossary.ts';
import type { AnswerOf } from '../admin/admin-client.ts';
import { exitCodes, Failure } from '../failure.ts';
import { type Column, printable, table } from '../output/table.ts';
import { addNodeLogCommand } from './logs.ts';
import { adminAction, type Called, examples, group, type Host, type Options, several, whole } from './admin-command.ts';

type Node = AnswerOf<'GET /api/nodes/:id'>;

const columns: readonly Column<Node>[] = [
  { title: 'NAME', of: ({ name }) => name },
  { title: 'STATE', of: ({ state, draining }) => (draining ? `${state}, draining` : state) },
  { title: 'ENGINE', of: ({ engine }) => engine },
  { title: 'USED', of: ({ taken, slots }) => `${taken ?? '?'}/${slots}`, isNumber: true },
  { title: 'MODELS', of: ({ models }) => models.length, isNumber: true },
  { title: 'FROM', of: ({ managedBy }) => managedBy },
  { title: 'URL', of: ({ url }) => url },
];

/** `weir nodes …`: what there is, and adding, removing, draining and probing it. */
export function addNodeCommands(program: Command, host: Host): void {
  const nodes = group(program, 'nodes', 'list, add, remove, drain and probe nodes');
  const list = nodes.command('list').description('list the nodes');
  adminAction(list, host, listNodes);

  const add = nodes
    .command('add')
    .argument('<url>', 'of the engine, such as http://10.0.0.5:8000')
    .description('register a node, and keep it over restarts')
    .option('--name <name>', "its name (default: the url's host and port)")
    .addOption(new Option('--engine <kind>', 'what runs there').choices(['auto', ...engineKinds]).default('auto'))
    .option('--max-concurrent <count>', 'its slots (default: told by the engine, or usual for its kind)', whole)
    .option(
      '--model <name[=own]>',
      'offer this model, which the engine calls `own`; may be given several times',
      several,
    )
    .option('--tag <tag>', 'a group it belongs to; may be given several times', several)
    .option('--memory <size>', 'what its models may take together, such as 24gb')
    .option('--logs-url <url>', 'where its log is read as text')
    .option('--api-key-from <variable>', 'the variable that holds the key the node asks for')
    .addHelpText(
      'after',
      examples(
        'weir nodes add http://10.0.0.5:8000 --name gpu-1',
        'weir nodes add http://10.0.0.6:8000 --model llama3=meta-llama/Llama-3-8B',
        'GPU_KEY=… weir nodes add https://gpu.example --api-key-from GPU_KEY',
      ),
    );
  adminAction(add, host, addNode);

  const onNode = (name: string, about: string, act: (called: Called, node: string) => Promise<void>): void => {
    const command = nodes.command(name).argument('<node>', 'its name or id').description(about);
    adminAction(command, host, (called) => act(called, called.words[0] ?? ''));
  };
  addNodeLogCommand(nodes, host);
  onNode('show', 'show one node with all that is known of it', async ({ client, print }, id) => {
    const node = await client.call('GET /api/nodes/:id', { params: { id } });
    print(node, () => details(node));
  });
  onNode('remove', 'remove a node; what runs on it finishes', async ({ client, host: { stdout }, options }, id) => {
    await client.call('DELETE /api/nodes/:id', { params: { id } });
    if (!options.isSet('json')) stdout(`${printable(id)} is removed.\n`);
  });
  onNode('drain', 'give a node no new requests', async ({ client, print }, id) => {
    const node = await client.call('POST /api/nodes/:id/drain', { params: { id } });
    print(node, () => `${printable(node.name)} gets no new requests; ${node.taken ?? '?'} still run on it.\n`);
  });
  onNode('resume', 'give a drained node requests again', async ({ client, print }, id) => {
    const node = await client.call('POST /api/nodes/:id/resume', { params: { id } });
    print(node, () => `${printable(node.name)} gets requests again.\n${why(node)}`);
  });
  onNode('probe', 'look at a node now; fails if it is not ready', async ({ client, print }, id) => {
    const node = await client.call('POST /api/nodes/:id/probe', { params: { id } });
    print(node, () => details(node));
    if (node.state !== 'ready') throw new Failure(exitCodes.failed, `${printable(node.name)} is ${node.state}.`);
  });
}

async function listNodes({ client, print }: Called): Promise<void> {
  const nodes = await client.call('GET /api/nodes', {});
  print(nodes, () => {
    const troubled = nodes.data.filter(({ detail }) => detail !== null);
    const reasons = troubled.map((node) => why(node)).join('');
    return table(nodes.data, columns, 'There is no node. Add one: weir nodes add URL') + reasons;
  });
}

async function addNode({ client, host, words, options, print }: Called): Promise<void> {
  const node = await client.call('POST /api/nodes', { body: wanted(words[0] ?? '', options, host) });
  print(node, () => table([node], columns, '') + why(node));
}

function wanted(url: string, options: Options, { env }: Host) {
  const name = options.text('name');
  const maxConcurrent = options.number('maxConcurrent');
  const models = options.texts('model').map((written) => {
    const [model = '', own = model] = written.split('=');
    return [model, own] as const;
  });
  return {
    url,
    engine: engineKinds.find((kind) => kind === options.text('engine')) ?? ('auto' as const),
    ...(name === null ? {} : { name }),
    ...(maxConcurrent === null ? {} : { maxConcurrent }),
    ...(models.length === 0 ? {} : { models: Object.fromEntries(models) }),
    ...(options.texts('tag').length === 0 ? {} : { tags: [...options.texts('tag')] }),
    memory: options.text('memory'),
    logsUrl: options.text('logsUrl'),
    apiKey: secretFrom(options.text('apiKeyFrom'), env),
  };
}

/** A key on the command line could be read by every user of this machine; the name of a variable may. */
function secretFrom(variable: string | null, env: Host['env']): string | null {
  if (variable === null) return null;
  const value = env[variable];
  if (value !== undefined && value !== '') return value;
  throw new Failure(exitCodes.usage, `--api-key-from ${variable}: there is no such variable, or it is empty.`);
}

function why({ name, detail }: Node): string {
  return detail === null ? '' : `${printable(name)}: ${printable(detail)}\n`;
}

function details(node: Node): string {
  const models = node.models.map((model) => printable(model)).join(', ');
  return `${table([node], columns, '')}${models === '' ? '' : `models: ${models}\n`}${why(node)}`;
}
