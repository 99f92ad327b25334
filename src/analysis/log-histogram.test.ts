import { expect, it } from 'vitest';
import { createLogHistogram, RELATIVE_ERROR } from './log-histogram.ts';

function recorded(values: readonly number[]) {
  const histogram = createLogHistogram();
  for (const value of values) histogram.record(value);
  return histogram.percentiles();
}

it('gives percentiles within the stated error over eight orders of magnitude', () => {
  const values = Array.from({ length: 10_000 }, (_, index) => 0.01 * 1.002 ** index);
  const found = recorded(values);
  for (const [share, percentile] of [
    [0.5, found.p50],
    [0.9, found.p90],
    [0.95, found.p95],
    [0.99, found.p99],
  ] as const) {
    const exact = values[Math.ceil(values.length * share) - 1] ?? Number.NaN;
    expect(Math.abs((percentile ?? Number.NaN) - exact) / exact).toBeLessThanOrEqual(RELATIVE_ERROR + 1e-3);
  }
});

it('keeps the extremes exact and never leaves them', () => {
  expect(recorded([12.345])).toEqual({
    n: 1,
    min: 12.345,
    p50: 12.345,
    p90: 12.345,
    p95: 12.345,
    p99: 12.345,
    max: 12.345,
  });
});

it('takes zero and durations beyond its range', () => {
  expect(recorded([0, 0, 0, 1e12])).toMatchObject({ n: 4, min: 0, max: 1e12 });
});

it('has no figures without values', () => {
  expect(recorded([])).toEqual({ n: 0, min: null, p50: null, p90: null, p95: null, p99: null, max: null });
});
