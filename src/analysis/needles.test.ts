import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSearch } from './needles.ts';

it('finds what a search for each alone finds: as often, and the first in the same place', () => {
  const letters = (most: number) => fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: most });
  fc.assert(
    fc.property(fc.array(letters(12), { maxLength: 20 }), letters(60), (needles, text) => {
      const alone = [...new Set(needles)]
        .filter((needle) => needle !== '' && text.includes(needle))
        .map((needle) => [needle, { at: text.indexOf(needle), count: text.split(needle).length - 1 }]);
      expect(Object.fromEntries(createSearch(needles)(text))).toEqual(Object.fromEntries(alone));
    }),
    { numRuns: 500 },
  );
});

it('takes about as long for thousands that begin alike as for a few', () => {
  const phrases = Array.from({ length: 5_000 }, (_, at) => `canary-phrase-${String(at).padStart(12, '0')}`);
  const text = phrases.map((phrase) => `${phrase}\n${'x'.repeat(2_000)}\n`).join('');
  const startedAt = performance.now();
  expect(createSearch(phrases)(text).size).toBe(5_000);
  // One pass for each of them over these 10 MB would take minutes.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
