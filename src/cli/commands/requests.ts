import { type Command, Option } from 'commander';
import { outcomes } from '../../fleet/settlement.ts';
import type { AnswerOf } from '../admin/admin-client.ts';
import { bytes, duration, time } from '../output/figures.ts';
import { type Column, listing, table } from '../output/table.ts';
import { adminAction, type Called, examples, group, type Host, whole } from './admin-command.ts';
import { readMoment } from './moment.ts';

type Detail = AnswerOf<'GET /api/requests/:id'>;
type Row = Omit<Detail, 'attempts'>;

const span = (ms: number | null): string | null => (ms === null ? null : duration(ms));

const columns: readonly Column<Row>[] = [
  { title: 'ARRIVED (UTC)', of: ({ arrivedAt }) => time(arrivedAt) },
  { title: 'MODEL', of: ({ model }) => model },
  { title: 'OUTCOME', of: ({ outcome, code }) => (code === null ? outcome : `${outcome} ${code}`) },
  { title: 'STATUS', of: ({ status }) => status, isNumber: true },
  { title: 'WAIT', of: ({ waitMs }) => span(waitMs), isNumber: true },
  { title: 'FIRST', of: ({ firstByteMs }) => span(firstByteMs), isNumber: true },
  { title: 'TOTAL', of: ({ durationMs }) => span(durationMs), isNumber: true },
  { title: 'TOKENS', of: ({ usage }) => usage?.completionTokens ?? null, isNumber: true },
  { title: 'ID', of: ({ id }) => id },
];

const attemptColumns: readonly Column<Detail['attempts'][number]>[] = [
  { title: 'NODE', of: ({ nodeName }) => nodeName },
  { title: 'AFTER', of: ({ startedAfterMs }) => span(startedAfterMs), isNumber: true },
  { title: 'TOOK', of: ({ durationMs }) => span(durationMs), isNumber: true },
  { title: 'STATUS', of: ({ status }) => status, isNumber: true },
  { title: 'END', of: ({ end }) => end },
];

/** `weir requests …`: the history. */
export function addRequestCommands(program: Command, host: Host): void {
  const requests = group(program, 'requests', 'what happened to requests');
  const list = requests
    .command('list')
    .description('list requests, newest first')
    .option('--model <name>', 'of this model')
    .addOption(new Option('--outcome <outcome>', 'that ended so').choices([...outcomes]))
    .option('--status <status>', 'that were answered with this status', whole)
    .option('--code <code>', 'that were told this error, as in docs/errors.md')
    .option('--key <id>', "of this key's id")
    .option('--node <node>', 'that were tried on this node, by its name or id')
    .option('--since <time>', 'that arrived in the last 90m, or since 2027-01-31T18:00:00Z')
    .option('--until <time>', 'that arrived before then')
    .option('--limit <count>', 'at most so many, up to 500 (default: 50)', whole)
    .option('--cursor <id>', 'the page after that one (nextCursor)')
    .addHelpText(
      'after',
      examples(
        'weir requests list --since 1h --outcome refused',
        'weir requests list --node gpu-1 --json | jq .data[].id',
      ),
    );
  adminAction(list, host, listRequests);

  const show = requests
    .command('show')
    .argument('<id>', 'as in the header x-request-id')
    .description('show one request and where it was tried');
  adminAction(show, host, async ({ client, words, print }) => {
    const request = await client.call('GET /api/requests/:id', { params: { id: words[0] ?? '' } });
    print(request, () => `${details(request)}\n${table(request.attempts, attemptColumns, 'It was sent to no node.')}`);
  });
}

async function listRequests({ client, host, options, print }: Called): Promise<void> {
  const moment = (name: 'since' | 'until'): number | undefined => {
    const written = options.text(name);
    return written === null ? undefined : readMoment(`--${name}`, written, (ms) => host.clock.wall() - ms);
  };
  const page = await client.call('GET /api/requests', {
    query: {
      model: options.text('model') ?? undefined,
      outcome: outcomes.find((outcome) => outcome === options.text('outcome')),
      status: options.number('status')?.toString(),
      code: options.text('code') ?? undefined,
      keyId: options.text('key') ?? undefined,
      node: options.text('node') ?? undefined,
      since: moment('since'),
      until: moment('until'),
      limit: options.number('limit')?.toString(),
      cursor: options.text('cursor') ?? undefined,
    },
  });
  print(page, () => {
    const more = page.nextCursor === null ? '' : `More: --cursor ${page.nextCursor}\n`;
    return table(page.data, columns, 'No request fits.') + more;
  });
}

function details(request: Detail): string {
  const { usage } = request;
  return listing([
    ['id', request.id],
    ["client's id", request.clientRequestId],
    ['arrived (UTC)', time(request.arrivedAt)],
    ['path', request.path],
    ['model', request.model],
    ['key', request.keyId],
    ['caller', request.caller],
    ['outcome', request.code === null ? request.outcome : `${request.outcome} (${request.code})`],
    ['status', request.status],
    ['waited', span(request.waitMs)],
    ['first byte', span(request.firstByteMs)],
    ['took', span(request.durationMs)],
    ['sent, received', `${bytes(request.requestBytes)}, ${bytes(request.responseBytes)}`],
    [
      'tokens',
      usage &&
        `${usage.promptTokens ?? '?'} in, ${usage.completionTokens ?? '?'} out${usage.estimated ? ' (estimated)' : ''}`,
    ],
  ]);
}
