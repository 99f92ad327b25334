import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellLine } from './shell-line.ts';

it('is taken apart by a shell as it was put together', () => {
  const words = ["it's", '$HOME', 'a b', '"', '\n', '`x`', '', 'plain-1.0'];
  const printed = execFileSync('sh', ['-c', `for w in ${shellLine(words)}; do printf '%s\\0' "$w"; done`]);
  expect(printed.toString().split('\0').slice(0, -1)).toEqual(words);
});
