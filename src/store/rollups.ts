/** The rollups of the store: made from samples exactly once, in the order of their arrival. */
import type Database from 'better-sqlite3';
import type { Granularity, Rollup, RollupQuery } from '../protocol/meter.ts';
import { decode, encode } from './histogram.ts';
import {
  addCell,
  addCells,
  addSample,
  type Cell,
  type Cells,
  inOrder,
  ROLLED_COLUMNS,
  type RolledRow,
  rollupOf,
  startOf,
} from './rollup-cells.ts';

export interface Rollups {
  /** Rolls up the next `limit` samples; gives how many there were. Their place is kept in the same transaction. */
  advance(limit: number): number;
  /** Adds cells of hours, of samples that are not in this file. */
  addHours(hours: Cells): void;
  /** What is asked for, with the samples that are not rolled up yet: always up to date. */
  read(query: RollupQuery): readonly Rollup[];
  /** The same as cells that can be merged. */
  cells(query: RollupQuery): Cells;
}

interface StoredCell {
  readonly id: number;
  readonly start: number;
  readonly lane: string;
  readonly model: string | null;
  readonly count: number;
  readonly errors: number;
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_write_5m: number;
  readonly cache_write_1h: number;
  readonly durationUs: number;
  readonly streamUs: number;
  readonly latency: Buffer;
  readonly ttfb: Buffer;
}

const STORED = `rowid AS id, start, lane, model, count, errors, tokens_input AS input, tokens_output AS output,
  tokens_cache_read AS cache_read, tokens_cache_write_5m AS cache_write_5m, tokens_cache_write_1h AS cache_write_1h,
  duration_us AS durationUs, stream_us AS streamUs, latency, ttfb`;

/** Samples in one statement's worth of memory. */
const TAIL_CHUNK = 10_000;

/** The rollups in an open store. */
export function openRollups(db: Database.Database): Rollups {
  const watermark = db.prepare<[], number>('SELECT seq FROM rolled_up').pluck();
  const setWatermark = db.prepare<[number]>('UPDATE rolled_up SET seq = ?');
  const next = db
    .prepare<[number, number], RolledRow>(
      `SELECT ${ROLLED_COLUMNS} FROM samples WHERE seq > ? ORDER BY seq LIMIT ?`,
    )
    .raw();
  const find = db.prepare<[Granularity, number, string, string | null, string | null], StoredCell>(
    `SELECT ${STORED} FROM rollups WHERE granularity = ? AND start = ? AND lane = ?
     AND (model IS NULL) = (? IS NULL) AND ifnull(model, '') = ifnull(?, '')`,
  );
  const remove = db.prepare<[number]>('DELETE FROM rollups WHERE rowid = ?');
  const insert = db.prepare(
    `INSERT INTO rollups VALUES (:granularity, :start, :lane, :model, :count, :errors, :input, :output, :cache_read,
     :cache_write_5m, :cache_write_1h, :durationUs, :streamUs, :latency, :ttfb)`,
  );

  const put = (granularity: Granularity, cell: Cell): void => {
    const stored = find.get(granularity, cell.start, cell.lane, cell.model, cell.model);
    if (stored !== undefined) {
      addCell(cell, cellOf(stored));
      remove.run(stored.id);
    }
    const { tokens, latency, ttfb, ...rest } = cell;
    insert.run({ granularity, ...rest, ...tokens, latency: encode(latency), ttfb: encode(ttfb) });
  };

  const addHours = (hours: Cells): void => {
    const coarser: Cells = new Map();
    addCells(coarser, 'day', hours);
    for (const cell of coarser.values()) put('day', cell);
    for (const cell of hours.values()) put('hour', cell);
  };

  const advance = db.transaction((limit: number): number => {
    const rows = next.all(watermark.get() ?? 0, limit);
    const last = rows.at(-1);
    if (last === undefined) return 0;
    const hours: Cells = new Map();
    for (const row of rows) addSample(hours, 'hour', row);
    addHours(hours);
    setWatermark.run(last[0]);
    return rows.length;
  });

  const cells = db.transaction(({ granularity, since, until, model, lane }: RollupQuery): Cells => {
    const from = since === undefined ? Number.MIN_SAFE_INTEGER : startOf(granularity, since);
    const to = until ?? Number.MAX_SAFE_INTEGER;
    const wanted = (cell: { start: number; lane: string; model: string | null }): boolean =>
      cell.start >= from &&
      cell.start < to &&
      (lane === undefined || cell.lane === lane) &&
      (model === undefined || cell.model === model);
    const found: Cells = new Map();
    const stored = db.prepare<[Granularity, number, number], StoredCell>(
      `SELECT ${STORED} FROM rollups WHERE granularity = ? AND start >= ? AND start < ?`,
    );
    const all: Cells = new Map();
    for (const row of stored.iterate(granularity, from, to)) {
      if (wanted(row)) all.set(String(row.id), cellOf(row));
    }
    addCells(found, granularity, all);
    const fresh: Cells = new Map();
    for (let at = watermark.get() ?? 0; ; ) {
      const rows = next.all(at, TAIL_CHUNK);
      for (const row of rows) addSample(fresh, granularity, row);
      const last = rows.at(-1);
      if (last === undefined) break;
      [at] = last;
    }
    addCells(found, granularity, new Map([...fresh].filter(([, cell]) => wanted(cell))));
    return found;
  });

  return {
    advance: (limit) => advance.immediate(limit),
    addHours: (hours) => db.transaction(addHours).immediate(hours),
    read: (query) => inOrder(cells.deferred(query)).map(rollupOf),
    cells: (query) => cells.deferred(query),
  };
}

function cellOf(stored: StoredCell): Cell {
  const { id: _, input, output, cache_read, cache_write_5m, cache_write_1h, latency, ttfb, ...rest } = stored;
  return {
    ...rest,
    tokens: { input, output, cache_read, cache_write_5m, cache_write_1h },
    latency: decode(latency),
    ttfb: decode(ttfb),
  };
}
