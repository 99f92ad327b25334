import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, type Histogram, merge, percentiles, record } from './histogram.ts';

const of = (values: readonly number[]): Histogram => {
  const histogram: Histogram = new Map();
  for (const value of values) record(histogram, value);
  return histogram;
};

/** By definition: the smallest value that so many per cent of the values do not exceed. */
function exact(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil((sorted.length * percent) / 100)) - 1] ?? Number.NaN;
}

/** What a record holds: tenths of a millisecond, from none to eleven days. */
const duration = fc
  .oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1e10 }))
  .map((n) => n / 10);
const durations = fc.array(duration, { minLength: 1, maxLength: 200 });

describe('a percentile', () => {
  it('is within 2 % of the exact one, whatever the values', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(1, 50, 95, 99, 100), (values, percent) => {
        const [found = Number.NaN] = percentiles(of(values), [percent]);
        const right = exact(values, percent);
        expect(Math.abs(found - right)).toBeLessThanOrEqual(right * 0.02);
      }),
    );
  });

  it('is the same in parts that are merged, in any order', () => {
    fc.assert(
      fc.property(fc.array(durations, { maxLength: 6 }), (parts) => {
        const merged: Histogram = new Map();
        for (const part of parts.toReversed()) merge(merged, of(part));
        expect(encode(merged)).toEqual(encode(of(parts.flat())));
      }),
    );
  });

  it('is the same after a part was added and taken away', () => {
    fc.assert(
      fc.property(durations, durations, (kept, gone) => {
        const histogram = of([...kept, ...gone]);
        merge(histogram, of(gone), -1);
        expect(encode(histogram)).toEqual(encode(of(kept)));
      }),
    );
  });

  it('does not exist without values', () => expect(percentiles(new Map(), [50])).toEqual([]));
});

it('comes back from its bytes as it was, with counts beyond 32 bits', () => {
  const histogram = of([0, 0.1, 3, 3, 1e12]);
  histogram.set(1000, 2 ** 40 + 1);
  expect(decode(encode(histogram))).toEqual(new Map([...histogram].toSorted(([a], [b]) => a - b)));
});
