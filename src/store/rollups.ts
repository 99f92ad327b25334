/** The rollups of the store: made from samples exactly once, in the order of their arrival. */
import type Database from 'better-sqlite3';
import type { Granularity, Rollup, RollupQuery } from '../protocol/meter.ts';
import { decode, encode } from './histogram.ts';
import {
  addCell,
  addCells,
  addSample,
  type Cell,
  type CellKey,
  type Cells,
  inOrder,
  join,
  placeIn,
  ROLLED_COLUMNS,
  type RolledRow,
  rollupOf,
  startOf,
  withoutServed,
} from './rollup-cells.ts';

export interface Rollups {
  /** Rolls up the next `limit` samples; gives how many there were. Their place is kept in the same transaction. */
  advance(limit: number): number;
  /** Adds cells of hours, of samples that are not in this file. */
  addHours(hours: Cells): void;
  /** What is asked for, with the samples that are not rolled up yet: always up to date. */
  read(query: RollupQuery): readonly Rollup[];
  /** What the hours count of samples that are no longer in the file. */
  ofForgotten(): Cells;
}

interface StoredCell {
  readonly id: number;
  readonly start: number;
  readonly lane: string;
  readonly model: string | null;
  readonly served: string | null;
  readonly count: number;
  readonly errors: number;
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_write_5m: number;
  readonly cache_write_1h: number;
  readonly durationUs: number;
  readonly streamUs: number;
  readonly streamedTokens: number;
  readonly latency: Buffer;
  readonly ttfb: Buffer;
}

const STORED = `rowid AS id, start, lane, model, served_model AS served, count, errors, tokens_input AS input, tokens_output AS output,
  tokens_cache_read AS cache_read, tokens_cache_write_5m AS cache_write_5m, tokens_cache_write_1h AS cache_write_1h,
  duration_us AS durationUs, stream_us AS streamUs, streamed_tokens AS streamedTokens,
  latency, ttfb`;

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
  // As the index has it.
  const find = db.prepare<CellKey & { granularity: Granularity }, StoredCell>(
    `SELECT ${STORED} FROM rollups WHERE granularity = :granularity AND start = :start AND lane = :lane
     AND (model IS NULL) = (:model IS NULL) AND ifnull(model, '') = ifnull(:model, '')
     AND (served_model IS NULL) = (:served IS NULL) AND ifnull(served_model, '') = ifnull(:served, '')`,
  );
  const remove = db.prepare<[number]>('DELETE FROM rollups WHERE rowid = ?');
  const insert = db.prepare(
    `INSERT INTO rollups VALUES (:granularity, :start, :lane, :model, :count, :errors, :input, :output, :cache_read,
     :cache_write_5m, :cache_write_1h, :durationUs, :streamUs, :latency, :ttfb, :served, :streamedTokens)`,
  );

  const put = (granularity: Granularity, cell: Cell): void => {
    const { start, lane, model, served } = cell;
    const stored = find.get({ granularity, start, lane, model, served });
    if (stored !== undefined) {
      addCell(cell, cellOf(stored));
      remove.run(stored.id);
    }
    const { tokens, latency, ttfb, ...rest } = cell;
    insert.run({ granularity, ...rest, ...tokens, latency: encode(latency), ttfb: encode(ttfb) });
  };

  const addHours = (hours: Cells): void => {
    const coarser: Cells = new Map();
    addCells(coarser, hours.values(), placeIn('day'));
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

  const cells = db.transaction(({ granularity, by, since, until, model, lane }: RollupQuery): Cells => {
    const from = since === undefined ? Number.MIN_SAFE_INTEGER : startOf(granularity, since);
    const to = until ?? Number.MAX_SAFE_INTEGER;
    const wanted = (cell: CellKey): boolean =>
      cell.start >= from &&
      cell.start < to &&
      (lane === undefined || cell.lane === lane) &&
      (model === undefined || cell.model === model);
    const stored = db.prepare<[Granularity, number, number], StoredCell>(
      `SELECT ${STORED} FROM rollups WHERE granularity = ? AND start >= ? AND start < ?`,
    );
    const fresh: Cells = new Map();
    for (let at = watermark.get() ?? 0; ; ) {
      const rows = next.all(at, TAIL_CHUNK);
      for (const row of rows) addSample(fresh, granularity, row);
      const last = rows.at(-1);
      if (last === undefined) break;
      [at] = last;
    }
    const found: Cells = new Map();
    const take = (cell: Cell): void =>
      join(found, by === 'served_model' ? withoutDurations(cell) : { ...cell, served: null });
    for (const row of stored.iterate(granularity, from, to)) {
      if (wanted(row)) take(by === 'served_model' ? countsOf(row) : cellOf(row));
    }
    for (const cell of fresh.values()) if (wanted(cell)) take(cell);
    return found;
  });

  // Not by the model that served: what was rolled up before that was told apart is counted without it.
  const ofForgotten = db.transaction((): Cells => {
    const rest: Cells = new Map();
    const stored = db.prepare<[], StoredCell>(`SELECT ${STORED} FROM rollups WHERE granularity = 'hour'`);
    for (const row of stored.iterate()) join(rest, { ...cellOf(row), served: null });
    const present: Cells = new Map();
    const rolledUp = db
      .prepare<[], RolledRow>(
        `SELECT ${ROLLED_COLUMNS} FROM samples WHERE seq <= (SELECT seq FROM rolled_up)`,
      )
      .raw();
    for (const row of rolledUp.iterate()) addSample(present, 'hour', row);
    addCells(rest, present.values(), withoutServed, -1);
    return new Map([...rest].filter(([, cell]) => cell.count > 0));
  });

  return {
    advance: (limit) => advance.immediate(limit),
    addHours: (hours) => db.transaction(addHours).immediate(hours),
    read: (query) => inOrder(cells.deferred(query)).map((cell) => rollupOf(cell, query.by)),
    ofForgotten: () => ofForgotten.deferred(),
  };
}

function cellOf(stored: StoredCell): Cell {
  return { ...countsOf(stored), latency: decode(stored.latency), ttfb: decode(stored.ttfb) };
}

/** Without the distributions, which cost more to read than all the rest. */
function countsOf(stored: StoredCell): Cell {
  const { id: _, input, output, cache_read, cache_write_5m, cache_write_1h, ...rest } = stored;
  const tokens = { input, output, cache_read, cache_write_5m, cache_write_1h };
  return { ...rest, tokens, latency: new Map(), ttfb: new Map() };
}

const withoutDurations = (cell: Cell): Cell => ({ ...cell, latency: new Map(), ttfb: new Map() });
