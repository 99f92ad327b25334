import { expect, it } from 'vitest';
import { createRandomIds } from './ids.ts';

const draw = (count: number): string[] => {
  const ids = createRandomIds();
  return Array.from({ length: count }, () => ids.rid());
};

it('gives each id once, in 16 digits', () => {
  const drawn = [...draw(10_000), ...draw(10_000)];
  expect(new Set(drawn).size).toBe(drawn.length);
  for (const id of drawn) expect(id).toMatch(/^[0-9a-f]{16}$/);
});

it('gives neighbours in time ids that are neighbours: the index of the store is written where they lie', () => {
  const drawn = draw(10_000);
  expect(new Set(drawn.map((id) => id.slice(0, 13))).size).toBe(3);
  expect(drawn.slice(0, 4_096)).toEqual(drawn.slice(0, 4_096).toSorted());
});
