import { expect, it } from 'vitest';
import { invocationOf } from './invocation.ts';

const typed = (...argv: readonly string[]): readonly string[] =>
  invocationOf({ env: {}, argv, cwd: '/people/me/desk', home: '/people/me/' }).argv;

it('says where things lie from the working directory and the home', () => {
  expect(
    typed(
      'run',
      '--run-dir',
      '/people/me/desk',
      '--run-dir=/people/me/desk/out',
      '--target',
      "'/people/me/bin/proxy' --log=/people/me/desk/log:/people/me --port {port}",
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
  ['/people/me/desk-home/keep', '~/desk-home/keep'],
  ['/people/me/desk.old', '~/desk.old'],
  ['/people/meadow/keep', '/people/meadow/keep'],
  ['/mnt/people/me/keep', '/mnt/people/me/keep'],
])('leaves %s another folder', (word, kept) => {
  expect(typed(word)).toEqual([kept]);
});

it('keeps those variables that may be told, and no others', () => {
  const env = { TZ: 'UTC', ANTHROPIC_API_KEY: 'made-up', HOME: '/people/me' };
  expect(invocationOf({ env, cwd: '/', home: '/' })).toEqual({ argv: [], environment: { TZ: 'UTC' } });
});
