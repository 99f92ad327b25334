/** Rollups in memory: exchanges of one hour or day, lane and model, added up. */
import type { Granularity, Rollup } from '../protocol/meter.ts';
import type { Tokens } from '../protocol/usage-event.ts';
import { type Histogram, merge, percentile, record } from './histogram.ts';

/** What a rollup is made of; every part of it adds up the same in any order. */
export interface Cell {
  /** Epoch milliseconds of its beginning, UTC. */
  readonly start: number;
  readonly lane: string;
  readonly model: string | null;
  count: number;
  errors: number;
  readonly tokens: { -readonly [Kind in keyof Tokens]: number };
  /** Whole microseconds. */
  durationUs: number;
  streamUs: number;
  readonly latency: Histogram;
  readonly ttfb: Histogram;
}

/** What the rollups need of a sample, as it is selected. */
export type RolledRow = readonly [
  seq: number,
  ts: number,
  lane: string,
  model: string | null,
  status: number,
  reason: string,
  latency_ms: number,
  ttfb_ms: number | null,
  stream_ms: number | null,
  input: number | null,
  output: number | null,
  cache_read: number | null,
  cache_write_5m: number | null,
  cache_write_1h: number | null,
];

export const ROLLED_COLUMNS = `seq, ts, lane, model, status, reason, latency_ms, ttfb_ms, stream_ms, tokens_input,
  tokens_output, tokens_cache_read, tokens_cache_write_5m, tokens_cache_write_1h`;

const LENGTHS: Readonly<Record<Granularity, number>> = { hour: 3_600_000, day: 86_400_000 };

/** The beginning of the hour or day (UTC) that a time lies in, epoch milliseconds. */
export const startOf = (granularity: Granularity, ts: number): number =>
  Math.floor(ts / LENGTHS[granularity]) * LENGTHS[granularity];

export type Cells = Map<string, Cell>;

/** Adds a sample to the cell of its hour or day. */
export function addSample(cells: Cells, granularity: Granularity, row: RolledRow): void {
  const [, ts, lane, model, status, reason, latency, ttfb, stream, ...tokens] = row;
  const cell = cellOf(cells, startOf(granularity, ts), lane, model);
  const [input, output, cacheRead, cacheWrite5m, cacheWrite1h] = tokens;
  cell.count += 1;
  if (isError(status, reason)) cell.errors += 1;
  cell.tokens.input += input ?? 0;
  cell.tokens.output += output ?? 0;
  cell.tokens.cache_read += cacheRead ?? 0;
  cell.tokens.cache_write_5m += cacheWrite5m ?? 0;
  cell.tokens.cache_write_1h += cacheWrite1h ?? 0;
  cell.durationUs += microseconds(latency);
  record(cell.latency, latency);
  if (ttfb !== null) record(cell.ttfb, ttfb);
  if (stream !== null) cell.streamUs += microseconds(stream);
}

/** Adds one cell to another; with -1 takes it away. */
export function addCell(into: Cell, from: Cell, times: 1 | -1 = 1): void {
  into.count += from.count * times;
  into.errors += from.errors * times;
  into.tokens.input += from.tokens.input * times;
  into.tokens.output += from.tokens.output * times;
  into.tokens.cache_read += from.tokens.cache_read * times;
  into.tokens.cache_write_5m += from.tokens.cache_write_5m * times;
  into.tokens.cache_write_1h += from.tokens.cache_write_1h * times;
  into.durationUs += from.durationUs * times;
  into.streamUs += from.streamUs * times;
  merge(into.latency, from.latency, times);
  merge(into.ttfb, from.ttfb, times);
}

/** Adds the cells of hours to the cells of another granularity, or of the same. */
export function addCells(into: Cells, granularity: Granularity, from: Cells, times: 1 | -1 = 1): void {
  for (const cell of from.values()) {
    addCell(cellOf(into, startOf(granularity, cell.start), cell.lane, cell.model), cell, times);
  }
}

/** The rollup that a cell means. */
export function rollupOf({ durationUs, streamUs, latency, ttfb, tokens, ...cell }: Cell): Rollup {
  return {
    ...cell,
    tokens: { ...tokens },
    latency_p50: percentile(latency, 50),
    latency_p95: percentile(latency, 95),
    ttfb_p50: percentile(ttfb, 50),
    ttfb_p95: percentile(ttfb, 95),
    duration_ms: durationUs / 1000,
    stream_ms: streamUs / 1000,
  };
}

/** Oldest first, then by lane and model, those without a model first. */
export function inOrder(cells: Cells): Cell[] {
  return [...cells.values()].toSorted(
    (a, b) =>
      a.start - b.start ||
      compare(a.lane, b.lane) ||
      Number(a.model !== null) - Number(b.model !== null) ||
      compare(a.model ?? '', b.model ?? ''),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function cellOf(cells: Cells, start: number, lane: string, model: string | null): Cell {
  const key = JSON.stringify([start, lane, model]);
  const known = cells.get(key);
  if (known !== undefined) return known;
  const cell = {
    start,
    lane,
    model,
    count: 0,
    errors: 0,
    tokens: { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 },
    durationUs: 0,
    streamUs: 0,
    latency: new Map(),
    ttfb: new Map(),
  };
  cells.set(key, cell);
  return cell;
}

/** Whether the client did not get an answer: a client that left of itself does not count unless nothing had come. */
const isError = (status: number, reason: string): boolean =>
  status >= 400 || (reason !== 'ok' && reason !== 'client_abort');

const microseconds = (ms: number): number => Math.round(ms * 1000);
