/** Completion scripts for shells, made from the commands as they are declared. */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A point on the command line: the commands typed so far, and what may follow. */
interface Point {
  readonly path: readonly string[];
  readonly words: readonly Word[];
}

interface Word {
  readonly text: string;
  readonly help: string;
}

/** The script that a shell evaluates to complete a program's commands and options. */
export function completionScript(program: Command, shell: Shell): string {
  return WRITERS[shell](program.name(), pointsOf(program, []));
}

function pointsOf(command: Command, path: readonly string[]): Point[] {
  const help = command.createHelp();
  const commands = help
    .visibleCommands(command)
    .map((child) => ({ text: child.name(), help: child.description() }));
  const options = help
    .visibleOptions(command)
    .flatMap(({ long, description }) =>
      long === undefined || long === null ? [] : { text: long, help: description },
    );
  const below = command.commands.flatMap((child) => pointsOf(child, [...path, child.name()]));
  return [{ path, words: [...commands, ...options] }, ...below];
}

/** Walks the words typed so far to the deepest command among them, then offers what may follow it. */
function bash(name: string, points: readonly Point[]): string {
  const known = points.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path));
  const offers = points.map(
    ({ path, words }) => `    ${quoted(path)}) words="${words.map(({ text }) => text).join(' ')}" ;;`,
  );
  const complete = `_${name.replaceAll('-', '_')}`;
  return `${complete}() {
  local at="" next words i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${at:+$at }\${COMP_WORDS[i]}"
    case "$next" in
      ${known.join(' | ')}) at="$next" ;;
    esac
  done
  case "$at" in
${offers.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${complete} ${name}
`;
}

function fish(name: string, points: readonly Point[]): string {
  const lines = points.flatMap(({ path, words }) => {
    const deeper = points
      .filter((point) => point.path.length === path.length + 1)
      .map((point) => point.path.at(-1));
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const here = [...seen, `not __fish_seen_subcommand_from ${deeper.join(' ')}`];
    const when = (deeper.length === 0 ? seen : here).join('; and ');
    return words.map(({ text, help }) => {
      const what = text.startsWith('--') ? `-l ${text.slice(2)}` : `-a ${text}`;
      return `complete -c ${name} -n '${when}' ${what} -d '${help.replaceAll("'", '')}'`;
    });
  });
  return [`complete -c ${name} -f`, ...lines, ''].join('\n');
}

const WRITERS: Readonly<Record<Shell, (name: string, points: readonly Point[]) => string>> = {
  bash,
  // zsh runs bash's completions as they are.
  zsh: (name, points) => `autoload -U +X bashcompinit && bashcompinit\n${bash(name, points)}`,
  fish,
};

const quoted = (path: readonly string[]): string => `"${path.join(' ')}"`;
