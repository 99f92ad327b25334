import fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemRandom } from '../platform/random.ts';
import { makeUserCode, readUserCode } from './user-code.ts';

it('is eight consonants, of which each is as likely as another', () => {
  const seen = new Map<string, number>();
  for (let n = 0; n < 5_000; n += 1) {
    const code = makeUserCode(systemRandom);
    expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    for (const letter of code.replace('-', '')) seen.set(letter, (seen.get(letter) ?? 0) + 1);
  }
  // 2,000 expected of each, with a standard deviation of 44; a remainder of 256 would give some of them 8 % more.
  expect(seen.size).toBe(20);
  for (const count of seen.values()) expect(Math.abs(count - 2_000)).toBeLessThan(6 * 44);
});

it('takes bytes that would make some letters likelier for none', () => {
  const bytes = [255, 240, 239, 0, 19, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  expect(makeUserCode({ bytes: () => Buffer.from(bytes) })).toBe('ZBZB-CDFG');
});

it('is read back however it is typed', () => {
  fc.assert(
    fc.property(fc.constantFrom('', ' ', '-', '  '), fc.boolean(), (between, lower) => {
      const code = makeUserCode(systemRandom);
      const typed = code.replace('-', between);
      expect(readUserCode(lower ? typed.toLowerCase() : typed)).toBe(code);
    }),
  );
});

it.each(['', 'BCDF', 'BCDF-GHJK-L', '12345678', `BCDFGHJK${' '.repeat(1_000)}`])('is not %j', (typed) => {
  expect(readUserCode(typed)).toBeNull();
});
