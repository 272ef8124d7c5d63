import type { Place, Word } from './places.ts';

// One script for each shell. Each first walks the words typed so far to the place they lead to, then offers what may stand there: values
// of the option before the cursor, else commands and options. Nothing is run at a key press, so that it is quick.

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function scriptFor(shell: Shell, places: readonly Place[]): string {
  switch (shell) {
    case 'bash':
      return bash(places);
    case 'zsh':
      return zsh(places);
    case 'fish':
      return fish(places);
    default:
      return shell satisfies never;
  }
}

function bash(places: readonly Place[]): string {
  return `# Completion of weir for bash. In ~/.bashrc: source <(weir completion bash)
_weir() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" place="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place/\${COMP_WORDS[i]}" in
      ${steps(places)}) place="\${place:+$place }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$place/$before" in
${valueCases(places, (choices) =>
  choices === null ? 'compopt -o default; COMPREPLY=()' : `COMPREPLY=($(compgen -W ${quoted(choices)} -- "$current"))`,
)}
  esac
  local words=""
  case "$place" in
${places.map(({ at, commands, options }) => `    ${quoted(at)}) words=${quoted([...commands, ...options].map(({ word }) => word).join(' '))} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _weir weir
`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef weir
# Completion of weir for zsh. In ~/.zshrc, after compinit: source <(weir completion zsh)
_weir() {
  local place="" word before="\${words[CURRENT - 1]}"
  local -a offered
  for word in "\${(@)words[2,CURRENT - 1]}"; do
    case "$place/$word" in
      ${steps(places)}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place/$before" in
${valueCases(places, (choices) => (choices === null ? '_files' : `compadd -- ${choices}`))}
  esac
  case "$place" in
${places.map(({ at, commands, options }) => `    ${quoted(at)}) offered=(${[...commands, ...options].map(described).join(' ')}) ;;`).join('\n')}
  esac
  _describe weir offered
}
compdef _weir weir
`;
}

/** `steps` of places below others, as patterns of a case. */
function steps(places: readonly Place[]): string {
  return places.flatMap(({ at, commands }) => commands.map(({ word }) => quoted(`${at}/${word}`))).join(' | ');
}

/** One case for each option with a value that is a file or one of a few words; `offer(null)` for files. */
function valueCases(places: readonly Place[], offer: (choices: string | null) => string): string {
  return places
    .flatMap(({ at, values }) =>
      values.map(({ flags, choices, isFile }) => {
        const pattern = flags.map((flag) => quoted(`${at}/${flag}`)).join(' | ');
        const offered = isFile ? offer(null) : choices.length > 0 ? offer(choices.join(' ')) : ':';
        return `    ${pattern}) ${offered}; return ;;`;
      }),
    )
    .join('\n');
}

function fish(places: readonly Place[]): string {
  const known = places.flatMap(({ at, commands }) => commands.map(({ word }) => fishQuoted(`${at}/${word}`)));
  const lines = places.flatMap(({ at, commands, options, values }) => {
    const here = `complete -c weir -n ${fishQuoted(`test (__weir_place) = ${fishQuoted(at)}`)}`;
    const valueOf = (word: string): string => {
      const value = values.find(({ flags }) => flags.includes(word));
      if (!value) return '';
      if (value.isFile) return ' -r -F';
      return value.choices.length > 0 ? ` -x -a ${fishQuoted(value.choices.join(' '))}` : ' -x';
    };
    return [
      ...commands.map(({ word, about }) => `${here} -f -a ${word} -d ${fishQuoted(about)}`),
      ...options.map(({ word, about }) => `${here} -l ${word.slice(2)}${valueOf(word)} -d ${fishQuoted(about)}`),
    ];
  });
  return `# Completion of weir for fish. Save as ~/.config/fish/completions/weir.fish
function __weir_place
  set -l place ''
  for word in (commandline -opc)[2..-1]
    if contains -- "$place/$word" ${known.join(' ')}
      set place (string trim "$place $word")
    end
  end
  echo "$place"
end
complete -c weir -f
${lines.join('\n')}
`;
}

/** As zsh's _describe wants it. */
function described({ word, about }: Word): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${about}`);
}

/** For bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
