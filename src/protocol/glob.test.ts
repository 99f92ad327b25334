import { assert, constantFrom, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { compileGlob, globsOverlap } from './glob.ts';

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
const shortWord = string({ unit: constantFrom('a', 'b', '*'), maxLength: 4 });

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

it.each([
  ['*haiku*', 'Claude-HAIKU-4', true],
  ['*haiku*', '*opus*', true],
  ['*haiku*', 'claude-opus-*', true],
  ['glm-*', 'claude-*', false],
  ['*haiku', 'claude-opus', false],
  ['', '**', true],
])('%s and %s have a name in common: %s', (one, other, overlap) => {
  expect(globsOverlap(one, other)).toBe(overlap);
});

it('finds that two globs have a name in common where there is one', () => {
  const names = Array.from({ length: 9 }, (_, length) =>
    Array.from({ length: 2 ** length }, (__, bits) =>
      bits.toString(2).padStart(length, '0').slice(0, length).replaceAll('0', 'a').replaceAll('1', 'b'),
    ),
  ).flat();
  assert(
    property(shortWord, shortWord, (one, other) => {
      const [matchesOne, matchesOther] = [compileGlob(one), compileGlob(other)];
      const found = names.some((name) => matchesOne(name) && matchesOther(name));
      expect(globsOverlap(one, other)).toBe(found);
    }),
    { numRuns: 1000 },
  );
});
