/** Median and spread of a few repetitions. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Throws on an empty list: there is no median of nothing. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const low = sorted[(sorted.length - 1) >> 1];
  const high = sorted[sorted.length >> 1];
  if (min === undefined || max === undefined || low === undefined || high === undefined) {
    throw new Error('no repetition to take a median of');
  }
  return { median: (low + high) / 2, min, max };
}

/** The value below which the share `q` lies, of a list that ascends; NaN of an empty one. */
export const quantile = (ascending: readonly number[], q: number): number =>
  ascending[Math.floor(q * (ascending.length - 1))] ?? Number.NaN;

export interface MedianBounds {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The median, and the bounds in which that of all that might be measured lies with 95 % confidence, whatever their
 * distribution: the ranks of the sign test, n/2 ± 0.98 √n. Throws on an empty list.
 */
export function medianBounds(values: readonly number[]): MedianBounds {
  const sorted = values.toSorted((a, b) => a - b);
  const { median, min, max } = spread(values);
  const [middle, reach] = [sorted.length / 2, 0.98 * Math.sqrt(sorted.length)];
  return {
    median,
    low: sorted[Math.floor(middle - reach)] ?? min,
    high: sorted[Math.ceil(middle + reach) - 1] ?? max,
  };
}
