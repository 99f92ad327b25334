import { expect, it } from 'vitest';
import { medianBounds, quantile, spread } from './statistics.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

it('the median of an even number of values lies between two', () => {
  expect(spread([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
});

it('a quantile is one of the values, and nothing of none', () => {
  expect(quantile(upTo(101), 0.5)).toBe(51);
  expect(quantile(upTo(101), 0.99)).toBe(100);
  expect(quantile([], 0.5)).toBeNaN();
});

// The ranks of n = 40 in the tables of the sign test: 14 and 27, with 96 %.
it('the bounds of a median are the ranks of the sign test', () => {
  expect(medianBounds(upTo(40).toReversed())).toEqual({ median: 20.5, low: 14, high: 27 });
});

it('a few values bound their median by all that they are', () => {
  expect(medianBounds([3, 1])).toEqual({ median: 2, low: 1, high: 3 });
});

it('there is no median of nothing', () => {
  expect(() => medianBounds([])).toThrow('no repetition');
});
