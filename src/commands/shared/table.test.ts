import { expect, it } from 'vitest';
import type { Screen } from './host.ts';
import { fitted, table, wrap } from './table.ts';

const screen = (width: number): Screen => ({
  write: () => {},
  isTerminal: false,
  width,
  paint: (_, text) => text,
});

it('lines columns up under their headings', () => {
  expect(
    table(
      screen(80),
      ['a', 'long'],
      [
        ['wide', 'x'],
        ['y', ''],
      ],
    ),
  ).toBe('a     long\nwide  x\ny\n');
});

it('wraps the widest column where the screen is narrow, at spaces and inside long words', () => {
  const text = table(screen(20), ['key', 'value'], [['k', 'some words and averyveryverylongword']]);
  expect(text).toBe(`key  value
k    some words and
     averyveryverylo
     ngword
`);
  expect(text.split('\n').every(({ length }) => length <= 20)).toBe(true);
});

it('breaks nothing where the screen has no end, as where no terminal is', () => {
  const path = `/${'a-long-folder/'.repeat(20)}file`;
  expect(table(screen(Number.POSITIVE_INFINITY), ['file', 'state'], [[path, 'used']])).toContain(
    `${path}  used\n`,
  );
});

it('shows no control character', () => {
  expect(table(screen(80), ['a'], [['x\u{1b}[2Jy']])).toBe('a\nx\u{fffd}[2Jy\n');
});

it('counts columns, of which a wide character takes two, and cuts none in half', () => {
  const rows = [
    ['通义千问-最新版本-超长名字', '1'],
    ['🚀🚀', '2'],
    ['x', '3'],
  ];
  expect(table(screen(24), ['model', 'in'], rows)).toBe(`model                 in
通义千问-最新版本-超  1
长名字
🚀🚀                  2
x                     3
`);
  expect(fitted('千问千问', 6)).toBe('千问… ');
});

it('wraps wide characters by their columns', () => {
  expect(wrap('千'.repeat(45), 40)).toEqual(['千'.repeat(20), '千'.repeat(20), '千'.repeat(5)]);
});
