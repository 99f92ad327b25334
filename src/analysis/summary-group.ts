/** What is added up of a group of completions, and of all streams. */
import type { Tokens } from '../protocol/usage-event.ts';
import type { JsonObject } from './json.ts';
import { createLogHistogram, type LogHistogram, type Percentiles } from './log-histogram.ts';
import type { LogView } from './log-view.ts';

export interface Group {
  readonly completions: number;
  /** Completions with an `err_type`. */
  readonly errors: number;
  readonly tokens: Tokens;
  readonly latency_ms: Percentiles;
  readonly ttfb_ms: Percentiles;
}

export interface SseSummary {
  readonly streams: number;
  readonly finished: number;
  readonly events: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly duration_ms: Percentiles;
  readonly max_gap_ms: Percentiles;
}

export function createGroup() {
  let completions = 0;
  let errors = 0;
  const tokens = { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 };
  const latency = createLogHistogram();
  const ttfb = createLogHistogram();
  return {
    /** The buckets are those of the view's own durations, computed once for all groups. */
    add(view: LogView, latencyBucket: number, ttfbBucket: number): void {
      completions += 1;
      if (view.errType !== undefined) errors += 1;
      if (view.tokens !== undefined) addTokens(tokens, view.tokens);
      if (view.latencyMs !== undefined) latency.record(view.latencyMs, latencyBucket);
      if (view.ttfbMs !== undefined) ttfb.record(view.ttfbMs, ttfbBucket);
    },
    result: (): Group => ({
      completions,
      errors,
      tokens: { ...tokens },
      latency_ms: latency.percentiles(),
      ttfb_ms: ttfb.percentiles(),
    }),
  };
}

function addTokens(sum: Tokens, tokens: Tokens): void {
  sum.input += tokens.input;
  sum.output += tokens.output;
  sum.cache_read += tokens.cache_read;
  sum.cache_write_5m += tokens.cache_write_5m;
  sum.cache_write_1h += tokens.cache_write_1h;
}

export function createSse() {
  const sums = { streams: 0, finished: 0, events: 0, chunks: 0, bytes: 0 };
  const duration = createLogHistogram();
  const gap = createLogHistogram();
  return {
    add(sse: JsonObject): void {
      sums.streams += 1;
      if (sse['finished'] === true) sums.finished += 1;
      sums.events += countIn(sse['events']);
      sums.chunks += countIn(sse['chunks']);
      sums.bytes += countIn(sse['bytes']);
      recordIn(duration, sse['duration_ms']);
      recordIn(gap, sse['max_gap_ms']);
    },
    result: (): SseSummary => ({
      ...sums,
      duration_ms: duration.percentiles(),
      max_gap_ms: gap.percentiles(),
    }),
  };
}

const countIn = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

function recordIn(histogram: LogHistogram, value: unknown): void {
  if (typeof value === 'number' && value >= 0) histogram.record(value);
}
