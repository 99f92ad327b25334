import { expect, it } from 'vitest';
import { invocationOf } from './invocation.ts';

const typed = (...argv: readonly string[]): readonly string[] =>
  invocationOf({ env: {}, argv, cwd: '/home/me/work', home: '/home/me/' }).argv;

it('says where things lie from the working directory and the home', () => {
  expect(
    typed(
      'run',
      '--run-dir',
      '/home/me/work',
      '--run-dir=/home/me/work/out',
      '--target',
      "'/home/me/bin/proxy' --log=/home/me/work/log:/home/me --port {port}",
    ),
  ).toEqual([
    'run',
    '--run-dir',
    '.',
    '--run-dir=./out',
    '--target',
    "'~/bin/proxy' --log=./log:~ --port {port}",
  ]);
});

it.each([
  ['/home/me/work-home/keep', '~/work-home/keep'],
  ['/home/me/work.old', '~/work.old'],
  ['/home/meadow/keep', '/home/meadow/keep'],
  ['/mnt/home/me/keep', '/mnt/home/me/keep'],
])('leaves %s another folder', (word, kept) => {
  expect(typed(word)).toEqual([kept]);
});

it('keeps those variables that may be told, and no others', () => {
  const env = { TZ: 'UTC', ANTHROPIC_API_KEY: 'made-up', HOME: '/home/me' };
  expect(invocationOf({ env, cwd: '/', home: '/' })).toEqual({ argv: [], environment: { TZ: 'UTC' } });
});
