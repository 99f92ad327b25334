/**
 * Percentiles that stay right when they are merged: counts in logarithmic buckets (as in DDSketch), so that merging is
 * adding and no order or splitting of the values changes anything. The buckets are part of the schema of the store.
 */

/** Largest relative error of a percentile; half of the 2 % that the rollups promise. */
const RELATIVE_ERROR = 0.01;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const PER_LOG = 1 / Math.log(GAMMA);
/** A microsecond and twelve days, in milliseconds: what is shorter counts as 0, what is longer as that. */
const MIN_MS = 0.001;
export const MAX_MS = 1e9;
const OFFSET = Math.ceil(Math.log(MIN_MS) * PER_LOG);

/** How many values lie in each bucket; a bucket without any is absent. */
export type Histogram = Map<number, number>;

/** Adds one duration, in milliseconds. */
export function record(histogram: Histogram, ms: number): void {
  add(histogram, bucketOf(ms), 1);
}

/** Adds what another one holds; with -1 takes it away. */
export function merge(into: Histogram, from: Histogram, times: 1 | -1 = 1): void {
  for (const [bucket, count] of from) add(into, bucket, count * times);
}

/**
 * For each of some per cents (whole numbers): the smallest value that so many of the values do not exceed, in
 * milliseconds; nothing at all without values.
 */
export function percentiles(histogram: Histogram, percents: readonly number[]): readonly number[] {
  if (histogram.size === 0) return [];
  const buckets = inOrder(histogram);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  return percents.map((percent) => {
    let left = Math.max(1, Math.ceil((total * percent) / 100));
    const [bucket] = buckets.find(([, count]) => (left -= count) <= 0) ?? [0];
    return valueOf(bucket);
  });
}

/** Pairs of varints in the order of the buckets: the distance to the bucket before, the count. Some 3 bytes a bucket. */
export function encode(histogram: Histogram): Buffer {
  const bytes: number[] = [];
  let before = 0;
  for (const [bucket, count] of inOrder(histogram)) {
    putVarint(bytes, bucket - before);
    putVarint(bytes, count);
    before = bucket;
  }
  return Buffer.from(bytes);
}

/** Reads what `encode` wrote. */
export function decode(bytes: Uint8Array): Histogram {
  const histogram: Histogram = new Map();
  let [at, bucket] = [0, 0];
  const next = (): number => {
    let [value, place] = [0, 1];
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * place;
      if (byte < 0x80) return value;
      place *= 0x80;
    }
  };
  while (at < bytes.length) {
    bucket += next();
    histogram.set(bucket, next());
  }
  return histogram;
}

function add(histogram: Histogram, bucket: number, count: number): void {
  const sum = (histogram.get(bucket) ?? 0) + count;
  if (sum === 0) histogram.delete(bucket);
  else histogram.set(bucket, sum);
}

function bucketOf(ms: number): number {
  if (ms <= MIN_MS) return 0;
  return Math.ceil(Math.log(Math.min(ms, MAX_MS)) * PER_LOG) - OFFSET;
}

/** The value with the same relative distance to both edges; four digits add nothing to the error that matters. */
function valueOf(bucket: number): number {
  return bucket === 0 ? 0 : Number(((2 * GAMMA ** (bucket + OFFSET)) / (GAMMA + 1)).toPrecision(4));
}

const inOrder = (histogram: Histogram): [number, number][] => [...histogram].toSorted(([a], [b]) => a - b);

/** Seven bits a byte, the low ones first; by division, because a count may have more than 31 bits. */
function putVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}
