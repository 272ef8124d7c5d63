import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../config/values/units.ts';
import { adminAction, type Called, examples, type Host } from '../commands/admin-command.ts';
import { Failure } from '../failure.ts';
import { frame, type Rates, type Stats } from './frame.ts';
import { pictureOn } from './picture.ts';
import { ratesBetween, type Sample, sampleOf } from './sample.ts';

const EVERY_MS = 1000;
/** What is no terminal has no height. */
const PAPER = { columns: 120, rows: Number.MAX_SAFE_INTEGER };
const LEAST_EVERY_MS = 100;

/** `weir top`: the fleet, live. */
export function addTopCommand(program: Command, host: Host): void {
  const top = program
    .command('top')
    .description('watch the fleet live')
    .option('--interval <duration>', 'between two looks (default: 1s)', interval)
    .option('--once', 'print one picture, with the rates of one interval, and end')
    .addHelpText(
      'after',
      `\nq or Ctrl-C ends it. Where the output is no terminal, pictures follow one another; --json prints one line each.\n${examples(
        'weir top',
        'weir top --once --json',
      )}`,
    );
  adminAction(top, host, watch);
}

function interval(written: string): number {
  const reading = parseDuration(written);
  if (reading.ok && reading.value >= LEAST_EVERY_MS) return reading.value;
  throw new InvalidArgumentError(reading.ok ? 'Write at least 100ms.' : 'Write a duration such as 2s.');
}

interface Look {
  readonly at: number;
  readonly stats: Stats;
  readonly rates: Rates | null;
}

async function watch({ client, host, options }: Called): Promise<void> {
  const { clock, terminal, stdout, signals } = host;
  const everyMs = options.number('interval') ?? EVERY_MS;
  const isJson = options.isSet('json');
  const ended = new AbortController();
  const end = (): void => ended.abort();
  signals.on('SIGINT', end);
  signals.on('SIGTERM', end);

  let before: Sample | null = null;
  const look = async (): Promise<Look> => {
    const stats = await client.call('GET /api/stats', {});
    const sample = sampleOf(stats, clock.now());
    const rates = ratesBetween(before, sample);
    before = sample;
    return { at: clock.wall(), stats, rates };
  };
  const draw = ({ stats, rates }: Look): readonly string[] =>
    frame(client.connection.url, stats, rates, terminal.isTty ? terminal.size() : PAPER);
  const print = (seen: Look): void =>
    stdout(isJson ? `${JSON.stringify(lineOf(seen))}\n` : `${draw(seen).join('\n')}\n`);

  if (options.isSet('once')) {
    await look();
    await terminal.sleep(everyMs, ended.signal);
    print(await look());
    return;
  }
  const picture = isJson || !terminal.isTty ? null : pictureOn(host, end);
  const show = (seen: Look): void => (picture ? picture.show(draw(seen)) : print(seen));
  try {
    // The first look may end it: a wrong token does not get better by waiting.
    show(await look());
    for (;;) {
      await terminal.sleep(everyMs, ended.signal);
      if (ended.signal.aborted) return;
      try {
        show(await look());
      } catch (error) {
        if (!(error instanceof Failure) || !picture) throw error;
        before = null;
        picture.show([error.message, '', 'Trying again. q quits.']);
      }
    }
  } finally {
    picture?.close();
  }
}

function lineOf({ at, rates, stats }: Look): object {
  return { at, ...(rates ?? { requestsPerSecond: null, tokensPerSecond: null }), stats };
}
