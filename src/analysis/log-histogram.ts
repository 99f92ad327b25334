/**
 * Percentiles of durations in bounded memory: logarithmic buckets (as in DDSketch), so that a value is known to
 * within 1 % of itself over the whole range. 5 kB a histogram; a record is one array increment.
 */

/** Largest relative error of a percentile. */
export const RELATIVE_ERROR = 0.01;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const PER_LOG = 1 / Math.log(GAMMA);
/** A microsecond and twelve days; what lies outside counts as lying at the edge, minimum and maximum stay exact. */
const MIN_MS = 0.001;
const MAX_MS = 1e9;
const OFFSET = Math.ceil(Math.log(MIN_MS) * PER_LOG);
const BUCKETS = Math.ceil(Math.log(MAX_MS) * PER_LOG) - OFFSET + 1;

/** The bucket of a duration in milliseconds, to be computed once and recorded in several histograms. */
export function bucketOf(ms: number): number {
  if (ms <= MIN_MS) return 0;
  return Math.ceil(Math.log(Math.min(ms, MAX_MS)) * PER_LOG) - OFFSET;
}

export interface Percentiles {
  /** How many values the figures rest on. */
  readonly n: number;
  /** Milliseconds, as all below; null where there is no value. */
  readonly min: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export interface LogHistogram {
  record(ms: number, bucket?: number): void;
  percentiles(): Percentiles;
}

export function createLogHistogram(): LogHistogram {
  // Made with the first value: most groups never have a first-byte time.
  let buckets: Uint32Array | undefined;
  let n = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;

  /** Nearest rank: the smallest value that at least this share of values does not exceed. */
  const at = (share: number): number | null => {
    if (buckets === undefined) return null;
    let left = Math.max(1, Math.ceil(n * share));
    const bucket = buckets.findIndex((count) => (left -= count) <= 0);
    return rounded(Math.min(max, Math.max(min, middleOf(bucket))));
  };

  return {
    record(ms, bucket = bucketOf(ms)) {
      buckets ??= new Uint32Array(BUCKETS);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      n += 1;
      if (ms < min) min = ms;
      if (ms > max) max = ms;
    },
    percentiles: () => ({
      n,
      min: n === 0 ? null : min,
      p50: at(0.5),
      p90: at(0.9),
      p95: at(0.95),
      p99: at(0.99),
      max: n === 0 ? null : max,
    }),
  };
}

/** The value with the same relative distance to both edges of a bucket. */
const middleOf = (bucket: number): number => (2 * GAMMA ** (bucket + OFFSET)) / (GAMMA + 1);

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
