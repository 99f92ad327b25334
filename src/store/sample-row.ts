/**
 * A sample as a row: a flat tuple crosses to the storing thread in 1.1 µs, the object that it means in 2.6. Both ways are
 * spelled out: driven by the names of the columns a row is read thirty times as slowly.
 */
import type { Sample, SampleUse } from '../protocol/meter.ts';
import { MOST_TOKENS } from '../protocol/usage-count.ts';
import type { CompletionEvent, Tokens } from '../protocol/usage-event.ts';
import { MAX_MS } from './histogram.ts';

export const SAMPLE_COLUMNS = [
  'rid',
  'ts',
  'lane',
  'provider',
  'model',
  'served_model',
  'op',
  'decision',
  'reason',
  'status',
  'err_type',
  'latency_ms',
  'ttfb_ms',
  'stream_ms',
  'tokens_input',
  'tokens_output',
  'tokens_cache_read',
  'tokens_cache_write_5m',
  'tokens_cache_write_1h',
  'bytes_in',
  'bytes_out',
  'attempts',
  'h2',
  'header_mode',
] as const;

type Cell<Column> = Column extends 'h2'
  ? 0 | 1 | null
  : Column extends keyof Sample
    ? Sample[Column]
    : number | null;
type Cells<Columns extends readonly string[]> = { readonly [At in keyof Columns]: Cell<Columns[At]> };

/** The value of each column, in the order of `SAMPLE_COLUMNS`. */
export type SampleRow = Cells<typeof SAMPLE_COLUMNS>;

type Judge = (value: unknown) => boolean;
const text: Judge = (value) => typeof value === 'string';
const whole: Judge = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const real: Judge = (value) => typeof value === 'number' && value >= 0;
const orNull =
  (judge: Judge): Judge =>
  (value) =>
    value === null || judge(value);
const YEAR_10000 = Date.UTC(10_000, 0);

/** What each column may hold. */
const POSSIBLE: Readonly<Record<(typeof SAMPLE_COLUMNS)[number], Judge>> = {
  rid: text,
  ts: (value) => whole(value) && Number(value) < YEAR_10000,
  lane: text,
  provider: text,
  model: orNull(text),
  served_model: orNull(text),
  op: text,
  decision: text,
  reason: text,
  status: whole,
  err_type: orNull(text),
  latency_ms: real,
  ttfb_ms: orNull(real),
  stream_ms: orNull(real),
  tokens_input: orNull(whole),
  tokens_output: orNull(whole),
  tokens_cache_read: orNull(whole),
  tokens_cache_write_5m: orNull(whole),
  tokens_cache_write_1h: orNull(whole),
  bytes_in: whole,
  bytes_out: whole,
  attempts: whole,
  h2: orNull(whole),
  header_mode: orNull(text),
};
const JUDGES = SAMPLE_COLUMNS.map((name) => POSSIBLE[name]);

/** Whether an exchange can be so: in a damaged file that SQLite can read a value may be any, of any type. */
export const isPossible = (row: SampleRow): boolean => JUDGES.every((judge, at) => judge(row[at]));

/** What counts towards quotas: of a week that is read before a start is done, every column costs. */
export const USE_COLUMNS = [
  'rid',
  'ts',
  'lane',
  'model',
  'latency_ms',
  'stream_ms',
  'tokens_input',
  'tokens_output',
  'tokens_cache_read',
  'tokens_cache_write_5m',
  'tokens_cache_write_1h',
] as const;

export type UseRow = Cells<typeof USE_COLUMNS>;

/** What is kept of a completion. */
export function sampleOf(event: CompletionEvent): Sample {
  return {
    rid: event.rid,
    ts: Date.parse(event.ts),
    lane: event.lane,
    provider: event.provider,
    model: event.model,
    served_model: event.served_model ?? null,
    op: event.op,
    decision: event.decision,
    reason: event.reason,
    status: event.status,
    err_type: event.err_type ?? null,
    latency_ms: event.latency_ms,
    ttfb_ms: event.ttfb_ms ?? null,
    stream_ms: event.sse?.duration_ms ?? null,
    tokens: event.tokens ?? null,
    bytes_in: event.bytes_in,
    bytes_out: event.bytes_out,
    attempts: event.attempts.length,
    h2: event.h2 ?? null,
    header_mode: event.header_mode ?? null,
  };
}

/** The row of a sample, within bounds that no exchange reaches: a line of a log may say anything, and sums must not overflow. */
export function rowOf(sample: Sample): SampleRow {
  const { tokens, h2 } = sample;
  return [
    sample.rid,
    sample.ts,
    sample.lane,
    sample.provider,
    sample.model,
    sample.served_model,
    sample.op,
    sample.decision,
    sample.reason,
    sample.status,
    sample.err_type,
    Math.min(MAX_MS, sample.latency_ms),
    atMost(MAX_MS, sample.ttfb_ms),
    atMost(MAX_MS, sample.stream_ms),
    atMost(MOST_TOKENS, tokens?.input),
    atMost(MOST_TOKENS, tokens?.output),
    atMost(MOST_TOKENS, tokens?.cache_read),
    atMost(MOST_TOKENS, tokens?.cache_write_5m),
    atMost(MOST_TOKENS, tokens?.cache_write_1h),
    sample.bytes_in,
    sample.bytes_out,
    sample.attempts,
    h2 === null ? null : h2 ? 1 : 0,
    sample.header_mode,
  ];
}

const atMost = (most: number, value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : Math.min(most, value);

/** The sample of a row; what stands behind its columns is left alone. */
export function sampleOfRow(row: readonly [...SampleRow, ...unknown[]]): Sample {
  const [
    rid,
    ts,
    lane,
    provider,
    model,
    served_model,
    op,
    decision,
    reason,
    status,
    err_type,
    latency_ms,
    ttfb_ms,
    stream_ms,
    input,
    output,
    cache_read,
    cache_write_5m,
    cache_write_1h,
    bytes_in,
    bytes_out,
    attempts,
    h2,
    header_mode,
  ] = row;
  return {
    rid,
    ts,
    lane,
    provider,
    model,
    served_model,
    op,
    decision,
    reason,
    status,
    err_type,
    latency_ms,
    ttfb_ms,
    stream_ms,
    tokens: tokensOf([input, output, cache_read, cache_write_5m, cache_write_1h]),
    bytes_in,
    bytes_out,
    attempts,
    h2: h2 === null ? null : h2 === 1,
    header_mode,
  };
}

/** The use of a row; what stands behind its columns is left alone. */
export function useOfRow(row: readonly [...UseRow, ...unknown[]]): SampleUse {
  const [rid, ts, lane, model, latency_ms, stream_ms, input, output, cache_read, write_5m, write_1h] = row;
  const tokens = tokensOf([input, output, cache_read, write_5m, write_1h]);
  return { rid, ts, lane, model, latency_ms, stream_ms, tokens };
}

/** All five are there, or none is. */
function tokensOf(counts: readonly (number | null)[]): Tokens | null {
  const [input, output, cache_read, cache_write_5m, cache_write_1h] = counts;
  if (input === null || input === undefined) return null;
  return {
    input,
    output: output ?? 0,
    cache_read: cache_read ?? 0,
    cache_write_5m: cache_write_5m ?? 0,
    cache_write_1h: cache_write_1h ?? 0,
  };
}
