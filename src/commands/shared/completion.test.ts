import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { completionScript } from './completion.ts';

function program(): Command {
  const one = new Command('my-tool').option('--loud', "it's loud");
  one.command('serve').option('--port <port>', 'port');
  one.command('log').description('the log').command('rotate').description('start anew');
  return one;
}

function completedByBash(...words: string[]): string[] {
  const script = `${completionScript(program(), 'bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _my_tool; echo "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  return out.split(/\s+/).filter(Boolean);
}

it.each([
  [['my-tool', 's'], ['serve']],
  [['my-tool', '--l'], ['--loud']],
  [
    ['my-tool', 'serve', '--'],
    ['--port', '--help'],
  ],
  [['my-tool', 'serve', '--port', '1', '--p'], ['--port']],
  [['my-tool', 'log', 'r'], ['rotate']],
  [['my-tool', 'log', 'rotate', 's'], []],
])('bash completes %j to %j', (words, expected) => {
  expect(completedByBash(...words)).toEqual(expected);
});

it('lets zsh use the same function', () => {
  expect(completionScript(program(), 'zsh')).toContain('bashcompinit');
});

it('tells fish where each word fits, whatever its help says', () => {
  const lines = completionScript(program(), 'fish').split('\n');
  expect(lines).toContain(
    "complete -c my-tool -n '__fish_seen_subcommand_from log; and not __fish_seen_subcommand_from rotate' -a rotate -d 'start anew'",
  );
  expect(lines.filter((line) => line.includes('loud'))).toEqual([
    expect.stringContaining("-l loud -d 'its loud'"),
  ]);
});
