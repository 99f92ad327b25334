/** Rollups in memory: exchanges of one hour or day, lane, model and the model that served, added up. */
import { isUncounted } from '../protocol/charged.ts';
import type { Granularity, Rollup, RollupQuery, Sample } from '../protocol/meter.ts';
import type { Tokens } from '../protocol/usage-event.ts';
import { type Histogram, merge, percentiles, record } from './histogram.ts';

/** What a rollup is made of; every part of it adds up the same in any order. */
export interface Cell {
  /** Epoch milliseconds of its beginning, UTC. */
  readonly start: number;
  readonly lane: string;
  readonly model: string | null;
  readonly served: string | null;
  count: number;
  errors: number;
  /** Those that used tokens which nobody counted. */
  uncounted: number;
  readonly tokens: { -readonly [Kind in keyof Tokens]: number };
  /** Whole microseconds. */
  durationUs: number;
  streamUs: number;
  /** Output of those that streamed. */
  streamedTokens: number;
  readonly latency: Histogram;
  readonly ttfb: Histogram;
}

/** What the rollups need of a sample, as it is selected. */
export type RolledRow = readonly [
  seq: number,
  ts: number,
  lane: string,
  model: string | null,
  served: string | null,
  op: Sample['op'],
  status: number,
  reason: Sample['reason'],
  attempts: number,
  latency_ms: number,
  ttfb_ms: number | null,
  stream_ms: number | null,
  input: number | null,
  output: number | null,
  cache_read: number | null,
  cache_write_5m: number | null,
  cache_write_1h: number | null,
];

export const ROLLED_COLUMNS = `seq, ts, lane, model, served_model, op, status, reason, attempts, latency_ms, ttfb_ms, stream_ms, tokens_input,
  tokens_output, tokens_cache_read, tokens_cache_write_5m, tokens_cache_write_1h`;

const LENGTHS: Readonly<Record<Granularity, number>> = { hour: 3_600_000, day: 86_400_000 };

/** The beginning of the hour or day (UTC) that a time lies in, epoch milliseconds. */
export const startOf = (granularity: Granularity, ts: number): number =>
  Math.floor(ts / LENGTHS[granularity]) * LENGTHS[granularity];

export type Cells = Map<string, Cell>;
export type CellKey = Pick<Cell, 'start' | 'lane' | 'model' | 'served'>;

/** Adds a sample to the cell of its hour or day. */
export function addSample(cells: Cells, granularity: Granularity, row: RolledRow): void {
  const [, ts, lane, model, served, op, status, reason, attempts, latency, ttfb, stream, ...tokens] = row;
  const cell = cellAt(cells, { start: startOf(granularity, ts), lane, model, served });
  const [input, output, cacheRead, cacheWrite5m, cacheWrite1h] = tokens;
  cell.count += 1;
  if (isError(status, reason)) cell.errors += 1;
  const told = tokens.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  if (isUncounted({ op, status, reason, attempts, tokens: told })) cell.uncounted += 1;
  cell.tokens.input += input ?? 0;
  cell.tokens.output += output ?? 0;
  cell.tokens.cache_read += cacheRead ?? 0;
  cell.tokens.cache_write_5m += cacheWrite5m ?? 0;
  cell.tokens.cache_write_1h += cacheWrite1h ?? 0;
  cell.durationUs += microseconds(latency);
  record(cell.latency, latency);
  if (ttfb !== null) record(cell.ttfb, ttfb);
  if (stream === null) return;
  cell.streamUs += microseconds(stream);
  cell.streamedTokens += output ?? 0;
}

/** Adds one cell to another; with -1 takes it away. */
export function addCell(into: Cell, from: Cell, times: 1 | -1 = 1): void {
  into.count += from.count * times;
  into.errors += from.errors * times;
  into.uncounted += from.uncounted * times;
  into.tokens.input += from.tokens.input * times;
  into.tokens.output += from.tokens.output * times;
  into.tokens.cache_read += from.tokens.cache_read * times;
  into.tokens.cache_write_5m += from.tokens.cache_write_5m * times;
  into.tokens.cache_write_1h += from.tokens.cache_write_1h * times;
  into.durationUs += from.durationUs * times;
  into.streamUs += from.streamUs * times;
  into.streamedTokens += from.streamedTokens * times;
  merge(into.latency, from.latency, times);
  merge(into.ttfb, from.ttfb, times);
}

/** Adds cells to those of a map, to which `place` assigns them. */
export function addCells(
  into: Cells,
  from: Iterable<Cell>,
  place: (cell: Cell) => CellKey,
  times: 1 | -1 = 1,
): void {
  for (const cell of from) addCell(cellAt(into, place(cell)), cell, times);
}

/** The cell's own place, or that of the day that it lies in. */
export const placeIn =
  (granularity: Granularity) =>
  (cell: Cell): CellKey => ({ ...cell, start: startOf(granularity, cell.start) });

/** Its place where nobody asks which model served. */
export const withoutServed = (cell: Cell): CellKey => ({ ...cell, served: null });

/** The rollup that a cell means, by whatever it was asked for. */
export function rollupOf(cell: Cell, by: RollupQuery['by'] = 'model'): Rollup {
  const { durationUs, streamUs, streamedTokens, latency, ttfb, tokens, served, ...rest } = cell;
  const [latencyP50 = null, latencyP95 = null] = percentiles(latency, [50, 95]);
  const [ttfbP50 = null, ttfbP95 = null] = percentiles(ttfb, [50, 95]);
  return {
    ...rest,
    ...(by === 'served_model' && { served_model: served }),
    tokens: { ...tokens },
    latency_p50: latencyP50,
    latency_p95: latencyP95,
    ttfb_p50: ttfbP50,
    ttfb_p95: ttfbP95,
    duration_ms: durationUs / 1000,
    stream_ms: streamUs / 1000,
    streamed_tokens: streamedTokens,
  };
}

/** Oldest first, then by lane, model and the model that served, those without one first. */
export function inOrder(cells: Cells): Cell[] {
  return [...cells.values()].toSorted(
    (a, b) =>
      a.start - b.start ||
      compare(a.lane, b.lane) ||
      compareNames(a.model, b.model) ||
      compareNames(a.served, b.served),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareNames = (a: string | null, b: string | null): number =>
  Number(a !== null) - Number(b !== null) || compare(a ?? '', b ?? '');

/** Puts in a cell that is the caller's to give, or adds it to the one that is there. */
export function join(cells: Cells, cell: Cell): void {
  const key = nameOf(cell);
  const known = cells.get(key);
  if (known === undefined) cells.set(key, cell);
  else addCell(known, cell);
}

const nameOf = ({ start, lane, model, served }: CellKey): string =>
  JSON.stringify([start, lane, model, served]);

function cellAt(cells: Cells, place: CellKey): Cell {
  const key = nameOf(place);
  const known = cells.get(key);
  if (known !== undefined) return known;
  const { start, lane, model, served } = place;
  const cell = {
    start,
    lane,
    model,
    served,
    count: 0,
    errors: 0,
    uncounted: 0,
    tokens: { input: 0, output: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 },
    durationUs: 0,
    streamUs: 0,
    streamedTokens: 0,
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
