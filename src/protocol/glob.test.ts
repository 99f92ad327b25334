import { assert, constantFrom, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { compileGlob } from './glob.ts';

it.each([
  ['*haiku*', 'claude-haiku-4-5', true],
  ['*haiku*', 'Claude-HAIKU', true],
  ['*haiku*', 'claude-sonnet', false],
  ['glm-*', 'glm-', true],
  ['glm-*', 'my-glm-4', false],
  ['glm-4.6', 'glm-4.6', true],
  ['glm-4.6', 'glm-4x6', false],
  ['*', '', true],
  ['ab*ba', 'aba', false],
  ['a*b*c', 'a-c-b', false],
  ['a**c', 'abc', true],
])('%s on %s: %s', (glob, model, matches) => {
  expect(compileGlob(glob)(model)).toBe(matches);
});

const word = (...letters: readonly string[]) => string({ unit: constantFrom(...letters), maxLength: 12 });

it('agrees with a regular expression on any glob and name', () => {
  assert(
    property(word('a', 'b', '*'), word('a', 'b'), (glob, name) => {
      const pattern = new RegExp(`^${glob.split('*').join('.*')}$`);
      expect(compileGlob(glob)(name)).toBe(pattern.test(name));
    }),
    { numRuns: 2000 },
  );
});

it('stays linear where a regular expression would backtrack', () => {
  const started = performance.now();
  expect(compileGlob(`${'*a'.repeat(60)}*b`)('a'.repeat(50_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(1000);
});
