import { expect, it } from 'vitest';
import { plural } from './plural.ts';

it('is one of one, and groups the digits of many', () => {
  expect([0, 1, 5_000].map((value) => plural(value, 'exchange'))).toEqual([
    '0 exchanges',
    '1 exchange',
    '5,000 exchanges',
  ]);
  expect(plural(2, 'entry', 'entries')).toBe('2 entries');
});
