import type { Command } from 'commander';
import type { AdminClient, AnswerOf } from '../admin/admin-client.ts';
import { exitCodes, Failure } from '../failure.ts';
import { time } from '../output/figures.ts';
import { type Column, printable, table } from '../output/table.ts';
import { adminAction, type Called, examples, group, type Host, whole } from './admin-command.ts';
import { readMoment } from './moment.ts';

type Token = AnswerOf<'GET /api/tokens'>['data'][number];

const columns: readonly Column<Token>[] = [
  { title: 'LABEL', of: ({ label }) => label },
  {
    title: 'NODES',
    of: ({ nodes, maxNodes }) => `${nodes.length}${maxNodes === null ? '' : `/${maxNodes}`}`,
    isNumber: true,
  },
  { title: 'APPROVAL', of: ({ needsApproval }) => (needsApproval ? 'needed' : 'no') },
  { title: 'EXPIRES', of: ({ expiresAt }) => (expiresAt === null ? 'never' : time(expiresAt)) },
  { title: 'ID', of: ({ id }) => id },
];

/** `weir tokens …`: what agents join with. */
export function addTokenCommands(program: Command, host: Host): void {
  const tokens = group(program, 'tokens', "list, make and revoke agents' registration tokens");
  adminAction(tokens.command('list').description('list the tokens'), host, async ({ client, print }) => {
    const list = await client.call('GET /api/tokens', {});
    print(list, () => table(list.data, columns, 'There is no token. Make one: weir tokens add LABEL'));
  });

  const add = tokens
    .command('add')
    .argument('<label>', 'what people call it')
    .description('make a token; it is printed once and kept nowhere')
    .option('--max-nodes <count>', 'how many nodes may join with it (default: any number)', whole)
    .option('--needs-approval', 'nodes that join with it take no requests until weir nodes resume NAME')
    .option('--expires <time>', 'when it ends: in 30d, or at 2027-01-31T18:00:00Z (default: never)')
    .addHelpText(
      'after',
      examples('weir tokens add rack-7', 'WEIR_AGENT_TOKEN=$(weir tokens add gpu-1 --max-nodes 1)'),
    );
  adminAction(add, host, addToken);

  const revoke = tokens
    .command('revoke')
    .argument('<token>', 'its label or id')
    .description('revoke a token; the nodes that joined with it are offline at once');
  adminAction(revoke, host, async ({ client, words, options, host: { stdout } }) => {
    const { id, label } = await findToken(client, words[0] ?? '');
    await client.call('DELETE /api/tokens/:id', { params: { id } });
    if (!options.isSet('json')) stdout(`${printable(label)} is revoked.\n`);
  });
}

async function addToken({ client, host, words, options, print }: Called): Promise<void> {
  const expires = options.text('expires');
  const made = await client.call('POST /api/tokens', {
    body: {
      label: words[0] ?? '',
      maxNodes: options.number('maxNodes'),
      needsApproval: options.isSet('needsApproval'),
      expiresAt: expires === null ? null : readMoment('--expires', expires, (ms) => host.clock.wall() + ms),
    },
  });
  // The token alone on standard output, so that a script can take it.
  if (!options.isSet('json')) host.stderr(`The token of ${printable(made.label)}, shown only now:\n`);
  print(made, () => `${made.token}\n`);
}

/** By id, or by a label that only one token has. Throws `Failure`. */
async function findToken(client: AdminClient, wanted: string): Promise<Token> {
  const { data } = await client.call('GET /api/tokens', {});
  const found = data.filter(({ id, label }) => id === wanted || label === wanted);
  const [only] = found;
  if (only && found.length === 1) return only;
  if (!only) throw new Failure(exitCodes.notFound, `There is no token ${wanted}. See: weir tokens list`);
  throw new Failure(
    exitCodes.usage,
    `${found.length} tokens are called ${wanted}. Name one by its id: weir tokens list`,
  );
}
