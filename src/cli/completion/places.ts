import type { Command, Option } from 'commander';

// What may stand at each place of a command line, taken from the commands themselves, so that completion knows what help knows.

export interface Word {
  readonly word: string;
  readonly about: string;
}

/** An option that takes a value. */
export interface ValueOption {
  readonly flags: readonly string[];
  /** Empty where anything may be written. */
  readonly choices: readonly string[];
  readonly isFile: boolean;
}

export interface Place {
  /** The commands typed so far: '' at the start, then `nodes`, `nodes list`. */
  readonly at: string;
  readonly commands: readonly Word[];
  readonly options: readonly Word[];
  readonly values: readonly ValueOption[];
}

/** The place after `command`, and all below it. */
export function placesOf(command: Command, at = ''): readonly Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const options = help.visibleOptions(command);
  const place = {
    at,
    commands: commands.map((each) => ({ word: each.name(), about: each.description() })),
    options: options.flatMap(({ long, description }) => (long ? [{ word: long, about: description }] : [])),
    values: options.filter(({ required }) => required).map((option) => valueOf(option)),
  };
  return [place, ...commands.flatMap((each) => placesOf(each, `${at} ${each.name()}`.trimStart()))];
}

function valueOf({ long, short, argChoices, flags }: Option): ValueOption {
  return {
    flags: [long, short].filter((flag) => typeof flag === 'string'),
    choices: argChoices ?? [],
    isFile: /<(file|path)>/.test(flags),
  };
}
