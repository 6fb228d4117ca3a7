import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A command and what may follow it. */
interface Place {
  /** `` for `vigie` itself, `/tenants/list` for a command of a group. */
  path: string;
  words: { word: string; description: string }[];
}

/** A script that completes commands and options in a shell. It runs no commands. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, '');
  return shell === 'fish' ? fish(places) : shell === 'zsh' ? zsh(places) : bash(places);
}

function placesOf(command: Command, path: string): Place[] {
  const options = command.options.flatMap(({ long, description }) =>
    long == null ? [] : [{ word: long, description }],
  );
  const words = [
    ...command.commands.map((each) => ({ word: each.name(), description: each.description() })),
    ...options,
    { word: '--help', description: 'display help for command' },
  ];
  return [{ path, words }, ...command.commands.flatMap((each) => placesOf(each, `${path}/${each.name()}`))];
}

/** The words before the cursor, as a path: arguments and options are not part of it. (`path` is a variable of zsh.) */
const walk = (places: readonly Place[], words: string) => `  for word in ${words}; do
    case "$vigie_path/$word" in
      ${places
        .map(({ path }) => path)
        .filter((path) => path !== '')
        .join('|')}) vigie_path="$vigie_path/$word" ;;
    esac
  done
  case "$vigie_path" in
${places.map(({ path, words: after }) => `    '${path}') next='${after.map(({ word }) => word).join(' ')}' ;;`).join('\n')}
  esac`;

function bash(places: readonly Place[]): string {
  return `# vigie completion for bash: source <(vigie completion bash)
_vigie() {
  local vigie_path= next= word
${walk(places, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _vigie vigie`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef vigie
# vigie completion for zsh: source <(vigie completion zsh)
_vigie() {
  local vigie_path= next= word
${walk(places, '"${(@)words[2,CURRENT-1]}"')}
  compadd -- \${=next}
}
compdef _vigie vigie`;
}

function fish(places: readonly Place[]): string {
  const paths = places.map(({ path }) => path).filter((path) => path !== '');
  const lines = places.flatMap(({ path, words }) =>
    words.map(({ word, description }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c vigie -n 'test (__vigie_path) = "${path}"' ${what} -d '${quoted(description)}'`;
    }),
  );
  return [
    '# vigie completion for fish: vigie completion fish | source',
    'function __vigie_path',
    '  set -l path ""',
    '  for word in (commandline -opc)[2..-1]',
    `    if contains -- "$path/$word" ${paths.join(' ')}`,
    '      set path "$path/$word"',
    '    end',
    '  end',
    '  echo "$path"',
    'end',
    ...lines,
  ].join('\n');
}

/** In single quotes of fish. */
function quoted(text: string): string {
  return text.replace(/[\\']/g, '\\$&');
}
