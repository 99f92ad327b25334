import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shellLine } from './shell-words.ts';

/** What a shell makes of a line. */
function apart(line: string): string[] {
  const printed = execFileSync('sh', ['-c', `for w in ${line}; do printf '%s\\0' "$w"; done`]);
  return printed.toString().split('\0').slice(0, -1);
}

it('a line is taken apart by a shell as it was put together', () => {
  const words = ["it's", '$HOME', 'a b', '"', '\n', '`x`', '', 'plain-1.0', '~', '#', 'a;b', '*'];
  expect(apart(shellLine(words))).toEqual(words);
  const word = fc.string({ unit: 'grapheme' }).filter((one) => !one.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (any) => {
      expect(apart(shellLine(any))).toEqual(any);
    }),
    { numRuns: 30 },
  );
});

it('what a shell takes as it is, stays as it is', () => {
  expect(shellLine(['ccp-uat', 'run', '--only', 'LOG-01', '--minutes', '0.5'])).toBe(
    'ccp-uat run --only LOG-01 --minutes 0.5',
  );
});
