/** The rollups of the store: made from samples exactly once, in the order of their arrival. */
import type Database from 'better-sqlite3';
import { OperatorError } from '../errors.ts';
import type {
  Granularity,
  HoursQuery,
  ModelHours,
  Rollup,
  RollupQuery,
  SpanQuery,
} from '../protocol/meter.ts';
import { decode, encode } from './histogram.ts';
import { createModelHours, type HourRow } from './model-hours.ts';
import { fewestPieces, type Piece, piecesOf } from './pieces.ts';
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
import { createNames, type Names } from './rollup-names.ts';

export interface Rollups {
  /** Rolls up the next `limit` samples; gives how many there were. Their place is kept in the same transaction. */
  advance(limit: number): number;
  /** Adds cells of hours, of samples that are not in this file. */
  addHours(hours: Cells): void;
  /**
   * What is asked for, with the samples that are not rolled up yet: always up to date. Hours that are forgotten are told as
   * one for their day. Throws `USAGE` where it is more than the query's `limit`.
   */
  read(query: RollupQuery): readonly Rollup[];
  /** As up to date; adds up to what `read` tells of the same time. Throws `USAGE` where it is more than the query's `limit`. */
  spans(query: SpanQuery): readonly Rollup[];
  /** As up to date. */
  hoursOf(query: HoursQuery): readonly ModelHours[];
  /** Whether anything was ever counted under a lane: days are never forgotten. */
  knowsLane(lane: string): boolean;
  /** What the hours count of samples that are no longer in the file; where those are forgotten, their days. */
  ofForgotten(): Cells;
  /** Forgets up to `limit` hours of days before `before` (epoch milliseconds); gives how many. */
  forgetHours(before: number, limit: number): number;
  /** Where the hours begin that are not forgotten, epoch milliseconds; the beginning of a day. */
  hoursFrom(): number;
}

interface StoredCell {
  readonly id: number;
  readonly start: number;
  readonly lane: string;
  readonly model: string | null;
  readonly served: string | null;
  readonly count: number;
  readonly errors: number;
  readonly uncounted: number;
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

const STORED = `rowid AS id, start, lane, model, served_model AS served, count, errors, uncounted, tokens_input AS input, tokens_output AS output,
  tokens_cache_read AS cache_read, tokens_cache_write_5m AS cache_write_5m, tokens_cache_write_1h AS cache_write_1h,
  duration_us AS durationUs, stream_us AS streamUs, streamed_tokens AS streamedTokens,
  latency, ttfb`;

/** For so long hours and the ids of what they count are kept, in milliseconds: a year and a month to compare it with. Days stay. */
export const KEEP_HOURS_MS = 400 * 86_400_000;

/** Samples in one statement's worth of memory. */
const TAIL_CHUNK = 10_000;

/** The rollups in an open store. */
export function openRollups(db: Database.Database): Rollups {
  const watermark = db.prepare<[], number>('SELECT seq FROM rolled_up').pluck();
  const setWatermark = db.prepare<[number]>('UPDATE rolled_up SET seq = ?');
  const next = db
    .prepare<{ at: number; from: number; limit: number }, RolledRow>(
      `SELECT ${ROLLED_COLUMNS} FROM samples WHERE seq > :at AND ts >= :from ORDER BY seq LIMIT :limit`,
    )
    .raw();
  // As the index has it.
  const find = db.prepare<CellKey & { granularity: Granularity }, StoredCell>(
    `SELECT ${STORED} FROM rollups WHERE granularity = :granularity AND start = :start AND lane = :lane
     AND (model IS NULL) = (:model IS NULL) AND ifnull(model, '') = ifnull(:model, '')
     AND (served_model IS NULL) = (:served IS NULL) AND ifnull(served_model, '') = ifnull(:served, '')`,
  );
  const stored = db.prepare<[Granularity, number, number], StoredCell>(
    `SELECT ${STORED} FROM rollups WHERE granularity = ? AND start >= ? AND start < ?`,
  );
  const remove = db.prepare<[number]>('DELETE FROM rollups WHERE rowid = ?');
  const insert = db.prepare(
    `INSERT INTO rollups VALUES (:granularity, :start, :lane, :model, :count, :errors, :input, :output, :cache_read,
     :cache_write_5m, :cache_write_1h, :durationUs, :streamUs, :latency, :ttfb, :served, :streamedTokens, :uncounted)`,
  );

  const put = (granularity: Granularity, cell: Cell): void => {
    const { start, lane, model, served } = cell;
    const before = find.get({ granularity, start, lane, model, served });
    if (before !== undefined) {
      addCell(cell, cellOf(before));
      remove.run(before.id);
    }
    const { tokens, latency, ttfb, ...rest } = cell;
    insert.run({ granularity, ...rest, ...tokens, latency: encode(latency), ttfb: encode(ttfb) });
  };

  const hoursFrom = db.prepare<[], number>('SELECT hours_from FROM rolled_up').pluck();
  const setHoursFrom = db.prepare<[number]>('UPDATE rolled_up SET hours_from = max(hours_from, ?)');
  const removeHours = db.prepare<[number]>(
    `DELETE FROM rollups WHERE rowid IN
     (SELECT rowid FROM rollups WHERE granularity = 'hour' AND start < (SELECT hours_from FROM rolled_up) LIMIT ?)`,
  );
  const namesAt = db.prepare<[Granularity, number, string], Names>(
    'SELECT model, served_model AS served FROM rollups WHERE granularity = ? AND start = ? AND lane = ?',
  );

  /** The cells, those whose names are too many together. */
  const named = (granularity: Granularity, cells: Cells): Cells => {
    const found: Cells = new Map();
    const place = createNames(({ start, lane }) => namesAt.all(granularity, start, lane));
    addCells(found, cells.values(), place);
    return found;
  };

  const addHours = (hours: Cells): void => {
    const days: Cells = new Map();
    addCells(days, hours.values(), placeIn('day'));
    for (const cell of named('day', days).values()) put('day', cell);
    for (const cell of named('hour', hours).values()) put('hour', cell);
  };

  const advance = db.transaction((limit: number): number => {
    const rows = next.all({ at: watermark.get() ?? 0, from: Number.MIN_SAFE_INTEGER, limit });
    const last = rows.at(-1);
    if (last === undefined) return 0;
    const hours: Cells = new Map();
    for (const row of rows) addSample(hours, 'hour', row);
    addHours(hours);
    setWatermark.run(last[0]);
    return rows.length;
  });

  const timeOf = <S extends number | undefined>(since: S, until = Number.MAX_SAFE_INTEGER) => ({
    since,
    until,
    hoursFrom: hoursFrom.get() ?? 0,
  });

  /** What is not rolled up yet, as it will be. */
  const freshOf = (pieces: readonly Piece[]): Cell[] => {
    const raw = pieces.map((piece) => ({ ...piece, cells: new Map() as Cells }));
    const from = Math.min(...pieces.map((piece) => piece.from));
    for (let at = watermark.get() ?? 0; ; ) {
      const rows = next.all({ at, from, limit: TAIL_CHUNK });
      for (const row of rows) {
        const piece = raw.findLast((one) => row[1] >= one.from);
        if (piece !== undefined) addSample(piece.cells, piece.granularity, row);
      }
      const last = rows.at(-1);
      if (last === undefined) break;
      [at] = last;
    }
    return raw.flatMap(({ granularity, to, cells }) =>
      [...named(granularity, cells).values()].filter(({ start }) => start < to),
    );
  };

  const cells = db.transaction((query: RollupQuery): Cells => {
    const { by, model, lane, limit = Number.POSITIVE_INFINITY } = query;
    const pieces = piecesOf(query.granularity, timeOf(query.since, query.until));
    const wanted = (cell: CellKey): boolean =>
      (lane === undefined || cell.lane === lane) && (model === undefined || cell.model === model);
    const found: Cells = new Map();
    const take = (cell: Cell): void => {
      join(found, by === 'served_model' ? withoutDurations(cell) : { ...cell, served: null });
      if (found.size > limit) throw tooMany(limit);
    };
    for (const { granularity, from, to } of pieces) {
      for (const row of stored.iterate(granularity, from, to))
        if (wanted(row)) take(by === 'served_model' ? countsOf(row) : cellOf(row));
    }
    for (const cell of freshOf(pieces)) if (wanted(cell)) take(cell);
    return found;
  });

  const spans = db.transaction(({ since, until, cuts, limit }: SpanQuery): Cells => {
    const found: Cells = new Map();
    const take = (cell: Cell): void => {
      const start = cuts.findLast((cut) => cut <= cell.start) ?? since;
      join(found, { ...withoutDurations(cell), start: Math.max(start, since) });
      if (found.size > limit) throw tooManySums(limit);
    };
    const pieces = fewestPieces(timeOf(since, until));
    for (const { granularity, from, to } of pieces) {
      for (const row of stored.iterate(granularity, from, to)) take(countsOf(row));
    }
    for (const cell of freshOf(pieces)) take(cell);
    return found;
  });

  const storedHours = db.prepare<[Granularity, number, number], HourRow>(
    `SELECT start, model, tokens_input + tokens_output + tokens_cache_read + tokens_cache_write_5m + tokens_cache_write_1h AS tokens,
     streamed_tokens AS streamed, stream_us / 1000.0 AS streamMs FROM rollups
     WHERE granularity = ? AND start >= ? AND start < ? ORDER BY start`,
  );

  const hoursOf = db.transaction(({ models, since, until }: HoursQuery): readonly ModelHours[] => {
    const time = timeOf(since, until);
    const pieces = piecesOf('hour', time);
    const wanted = new Set(models);
    const found = createModelHours(time.hoursFrom);
    for (const cell of freshOf(pieces)) if (wanted.has(cell.model)) found.add(hourOf(cell));
    for (const { granularity, from, to } of pieces) {
      for (const row of storedHours.iterate(granularity, from, to))
        if (wanted.has(row.model)) found.addInOrder(row);
    }
    return found.end();
  });

  // Not by the model that served: what was rolled up before that was told apart is counted without it.
  const ofForgotten = db.transaction((): Cells => {
    const pieces = piecesOf('hour', timeOf(undefined));
    const rest: Cells = new Map();
    const rolledUp = db
      .prepare<[number, number], RolledRow>(
        `SELECT ${ROLLED_COLUMNS} FROM samples WHERE ts >= ? AND ts < ? AND seq <= (SELECT seq FROM rolled_up)`,
      )
      .raw();
    for (const { granularity, from, to } of pieces) {
      for (const row of stored.iterate(granularity, from, to)) join(rest, { ...cellOf(row), served: null });
      const present: Cells = new Map();
      for (const row of rolledUp.iterate(from, to)) addSample(present, granularity, row);
      addCells(rest, named(granularity, present).values(), withoutServed, -1);
    }
    // A sample may be known for uncounted of which a rollup could not tell yet.
    for (const cell of rest.values()) cell.uncounted = Math.max(0, cell.uncounted);
    return new Map([...rest].filter(([, cell]) => cell.count > 0));
  });

  const knowsLane = db
    .prepare<[string, string], number>(
      `SELECT EXISTS (SELECT 1 FROM rollups WHERE granularity = 'day' AND lane = ?)
       OR EXISTS (SELECT 1 FROM samples WHERE lane = ? AND seq > (SELECT seq FROM rolled_up))`,
    )
    .pluck();

  const forgetHours = db.transaction((before: number, limit: number): number => {
    setHoursFrom.run(startOf('day', before));
    return removeHours.run(limit).changes;
  });

  return {
    advance: (limit) => advance.immediate(limit),
    addHours: (hours) => db.transaction(addHours).immediate(hours),
    read: (query) => inOrder(cells.deferred(query)).map((cell) => rollupOf(cell, query.by)),
    spans: (query) => inOrder(spans.deferred(query)).map((cell) => rollupOf(cell, 'served_model')),
    hoursOf: (query) => hoursOf.deferred(query),
    knowsLane: (lane) => knowsLane.get(lane, lane) === 1,
    ofForgotten: () => ofForgotten.deferred(),
    forgetHours: (before, limit) => forgetHours.immediate(before, limit),
    hoursFrom: () => hoursFrom.get() ?? 0,
  };
}

const tooMany = (limit: number): OperatorError =>
  new OperatorError(
    'USAGE',
    `more than ${limit} rollups: ask for a shorter time (since, until), for one lane or model, or for days`,
  );

const tooManySums = (limit: number): OperatorError =>
  new OperatorError(
    'USAGE',
    `more than ${limit} sums of lanes and models: ask for a shorter time (since, until)`,
    {
      hint: 'GET /v1/usage/rollups tells of one lane or model.',
    },
  );

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

const hourOf = ({ start, model, tokens, streamedTokens, streamUs }: Cell): HourRow => ({
  start,
  model,
  tokens: Object.values(tokens).reduce((sum, count) => sum + count, 0),
  streamed: streamedTokens,
  streamMs: streamUs / 1000,
});
