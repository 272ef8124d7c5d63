import { Argument, type Command } from 'commander';
import { placesOf } from './places.ts';
import { scriptFor, type Shell, shells } from './scripts.ts';

/** `weir completion SHELL`: a script that completes what `program` knows. */
export function addCompletionCommand(program: Command, stdout: (text: string) => void): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'whose script to print').choices(shells))
    .description('print a script for completion in the shell')
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Examples:
  source <(weir completion bash)      in ~/.bashrc
  source <(weir completion zsh)       in ~/.zshrc, after compinit
  weir completion fish > ~/.config/fish/completions/weir.fish`,
    )
    .action((shell: Shell) => stdout(scriptFor(shell, placesOf(program))));
}
