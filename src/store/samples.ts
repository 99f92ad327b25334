/** The samples: one row per completion. */
import type Database from 'better-sqlite3';
import { OperatorError } from '../errors.ts';
import {
  type Diversion,
  type Diversions,
  type DiversionsQuery,
  type HistoryQuery,
  NO_DIVERSIONS,
  type SamplePage,
  type SampleQuery,
} from '../protocol/meter.ts';
import { SAMPLE_COLUMNS, type SampleRow, sampleOfRow, USE_COLUMNS, type UseRow } from './sample-row.ts';

export type SampleFilter = Pick<SampleQuery, 'since' | 'until' | 'model' | 'lane'> & {
  readonly lanes?: readonly string[];
  /** Only what counts towards quotas. */
  readonly charged?: true;
};

/** Where a reading stopped: the sample's time, then its place in the order of arrival. */
export type Place = readonly [ts: number, seq: number];

const DAY_MS = 86_400_000;
const COLUMNS = SAMPLE_COLUMNS.join(', ');

/**
 * Rows of one statement, where all are younger than whatever is forgotten: to look for them there costs 2 µs a row, and with
 * many ids a page of the file. Together they cost 1 µs a row less; more than ten gain nothing.
 */
const TOGETHER = 10;

/** A forgotten id in as few bytes as it takes: ours are 16 hexadecimal digits. */
const FORGOTTEN_KEY = (rid: string): string =>
  `CASE WHEN length(${rid}) = 16 AND ${rid} NOT GLOB '*[^0-9a-f]*' THEN unhex(${rid}) ELSE ${rid} END`;

export interface Samples {
  /** Puts in those that are not known yet, by `rid`; gives how many those were. Within a transaction of the caller. */
  insert(rows: readonly SampleRow[]): number;
  /** Up to `limit` of them; where a lane or a model is wanted, of the next `among`. */
  page(query: SampleQuery & { readonly among?: number }): SamplePage;
  /** Of the newest `among`. */
  diversions(query: DiversionsQuery & { readonly among: number }): Diversions;
  /** What counts towards quotas; rows, because they cross to another thread. Up to `limit` of the next `among`. */
  history(query: HistoryQuery & { readonly limit: number; readonly among: number }): HistoryRows;
  /** All that a filter lets through, oldest first; the file is read as it goes. */
  each(filter: SampleFilter): IterableIterator<SampleRow>;
  /**
   * The time before which samples are older than `keepMs`. A clock more than a day past the newest sample, or where none is
   * left past the newest day, is not believed: what a wrong one deletes, no log brings back.
   */
  horizon(now: number, keepMs: number): number;
  /** Deletes up to `limit` of those older than `before` that the rollups count; gives how many. */
  forget(before: number, limit: number): number;
  /** Forgets up to `limit` ids of samples before the day of `before` that `forget` deleted; gives how many. */
  forgetIds(before: number, limit: number): number;
  /** Of samples before (epoch milliseconds) the ids are not kept: one that comes may have been counted. */
  idsFrom(): number;
  /** Whether a sample is in the file, or was deleted and its id is kept. */
  knows(rid: string): boolean;
  /** How many `forget` would delete in all. */
  countBefore(before: number): number;
  extent(): { readonly samples: number; readonly oldest: number | null; readonly newest: number | null };
}

export interface HistoryRows {
  readonly rows: readonly (readonly [...UseRow, ...unknown[]])[];
  readonly next_cursor: string | null;
}

/** A row with its place behind it. */
type Placed<Row extends readonly unknown[]> = readonly [...Row, ...Place];

interface Paging extends SampleFilter {
  readonly limit: number;
  readonly cursor?: string | null | undefined;
  /** How many are looked at, at most, whether the filter lets them through or not. */
  readonly among?: number | undefined;
}

/** The samples in an open store. */
export function openSamples(db: Database.Database): Samples {
  const insertOne = db.prepare<[...SampleRow]>(
    `INSERT INTO samples (${COLUMNS})
     SELECT * FROM (SELECT ${SAMPLE_COLUMNS.map((name) => `? AS ${name}`).join(', ')}) AS new
     WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE rid = ${FORGOTTEN_KEY('new.rid')})
     ON CONFLICT (rid) DO NOTHING`,
  );
  const places = `(${SAMPLE_COLUMNS.map(() => '?').join(', ')})`;
  // OR ROLLBACK, as the caller does: to undo such a statement alone SQLite would write down what it changes, at 2 µs a row.
  const insertTogether = db.prepare<SampleRow[number][]>(
    `INSERT OR ROLLBACK INTO samples (${COLUMNS}) VALUES ${Array(TOGETHER).fill(places).join(', ')}
     ON CONFLICT (rid) DO NOTHING`,
  );
  const lastForgotten = db.prepare<[], number | null>('SELECT max(day) FROM forgotten').pluck();
  const knows = db
    .prepare<{ rid: string }, number>(
      `SELECT EXISTS (SELECT 1 FROM samples WHERE rid = :rid)
       OR EXISTS (SELECT 1 FROM forgotten WHERE rid = ${FORGOTTEN_KEY(':rid')})`,
    )
    .pluck();
  const newest = db
    .prepare<[], number | null>(
      `SELECT coalesce((SELECT max(ts) FROM samples), (SELECT max(start) FROM rollups WHERE granularity = 'day'))`,
    )
    .pluck();
  const old = `SELECT seq FROM samples WHERE ts < :before AND seq <= (SELECT seq FROM rolled_up)`;

  const newestFirst = <Row extends readonly unknown[]>(
    columns: readonly string[],
    { limit, cursor = null, until, among, ...filter }: Paging,
  ): { rows: Placed<Row>[]; next_cursor: string | null } => {
    const place = cursor === null ? null : placeOf(cursor);
    // Of two bounds of the time SQLite may begin at the farther one, for every page.
    const behind = place !== null && (until === undefined || place[0] < until) ? place : null;
    const within = { ...filter, ...(behind === null && until !== undefined && { until }) };
    const from = behind === null ? '' : 'AND ts <= :fromTs AND (ts < :fromTs OR seq < :fromSeq)';
    const fromValues = behind === null ? {} : { fromTs: behind[0], fromSeq: behind[1] };

    /** The last that is looked at; undefined where all are. */
    const lastOf = (count: number): Place | undefined => {
      const { where, values } = conditions({ since: filter.since, until: within.until });
      return db
        .prepare<object, Place>(
          `SELECT ts, seq FROM samples WHERE ${where} ${from} ORDER BY ts DESC, seq DESC LIMIT 1 OFFSET :skipped`,
        )
        .raw()
        .get({ ...values, ...fromValues, skipped: count - 1 });
    };
    const end = among === undefined ? undefined : lastOf(among);
    const { where, values } = conditions({ ...within, ...(end !== undefined && { since: end[0] }) });
    const to = end === undefined ? '' : 'AND (ts > :since OR seq >= :toSeq)';
    const rows = db
      .prepare<object, Placed<Row>>(
        `SELECT ${columns.join(', ')}, ts, seq FROM samples WHERE ${where} ${from} ${to} ORDER BY ts DESC, seq DESC LIMIT :limit`,
      )
      .raw()
      .all({ ...values, ...fromValues, ...(end !== undefined && { toSeq: end[1] }), limit: limit + 1 });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const next = last === undefined ? end : ([Number(last.at(-2)), Number(last.at(-1))] as const);
    return { rows: rows.slice(0, limit), next_cursor: next === undefined ? null : cursorOf(...next) };
  };

  return {
    insert(rows) {
      const unforgotten = ((lastForgotten.get() ?? Number.NEGATIVE_INFINITY) + 1) * DAY_MS;
      let added = 0;
      for (let at = 0; at < rows.length; at += TOGETHER) {
        const some = rows.slice(at, at + TOGETHER);
        if (some.length === TOGETHER && some.every(([, ts]) => ts >= unforgotten))
          added += insertTogether.run(...some.flat()).changes;
        else for (const row of some) added += insertOne.run(...row).changes;
      }
      return added;
    },
    page({ among, ...query }) {
      const isFiltered = query.model !== undefined || query.lane !== undefined;
      const paging = { ...query, among: isFiltered ? among : undefined };
      const { rows, next_cursor } = newestFirst<SampleRow>(SAMPLE_COLUMNS, paging);
      return { samples: rows.map(sampleOfRow), next_cursor };
    },
    diversions({ limit, ...query }) {
      const among = 'SELECT * FROM samples WHERE ts >= :since AND ts < :until ORDER BY ts DESC LIMIT :among';
      const looked = db
        .prepare<object, Pick<Diversions, 'looked_at' | 'oldest'>>(
          `SELECT count(*) AS looked_at, min(ts) AS oldest FROM (${among})`,
        )
        .get(query);
      const found = db
        .prepare<object, DiversionRow>(
          `SELECT model, lane, decision, count(*), count(*) FILTER (WHERE ${REFUSED}), sum(count(*)) OVER () FROM (${among})
           WHERE decision NOT GLOB 'to_*' AND decision <> 'quota_warn_attempt'
           GROUP BY model, lane, decision ORDER BY count(*) DESC, model, lane, decision LIMIT :limit`,
        )
        .raw()
        .all({ ...query, limit });
      const all = found[0]?.[5] ?? 0;
      const told = found.reduce((sum, [, , , count]) => sum + count, 0);
      const diversions = found.map(([model, lane, decision, count, refused]) => ({
        model,
        lane,
        decision,
        count,
        refused,
      }));
      return { ...NO_DIVERSIONS, ...looked, diversions, others: all - told };
    },
    history: (query) => newestFirst<UseRow>(USE_COLUMNS, { ...query, charged: true }),
    each(filter) {
      const { where, values } = conditions(filter);
      return db
        .prepare<object, SampleRow>(`SELECT ${COLUMNS} FROM samples WHERE ${where} ORDER BY ts, seq`)
        .raw()
        .iterate(values);
    },
    horizon: (now, keepMs) => Math.min(now, (newest.get() ?? now) + DAY_MS) - keepMs,
    forget(before, limit) {
      return db
        .transaction(() => {
          const chosen = `${old} ORDER BY ts LIMIT :limit`;
          db.prepare(
            `INSERT OR IGNORE INTO forgotten
             SELECT ${FORGOTTEN_KEY('rid')}, floor(ts / ${DAY_MS}.0) FROM samples WHERE seq IN (${chosen})`,
          ).run({ before, limit });
          return db.prepare(`DELETE FROM samples WHERE seq IN (${chosen})`).run({ before, limit }).changes;
        })
        .immediate();
    },
    forgetIds(before, limit) {
      const day = Math.floor(before / DAY_MS);
      return db
        .transaction(() => {
          const { changes } = db
            .prepare('DELETE FROM forgotten WHERE rid IN (SELECT rid FROM forgotten WHERE day < ? LIMIT ?)')
            .run(day, limit);
          if (changes > 0) db.prepare('UPDATE rolled_up SET ids_from = max(ids_from, ?)').run(day * DAY_MS);
          return changes;
        })
        .immediate();
    },
    idsFrom: () => db.prepare<[], number>('SELECT ids_from FROM rolled_up').pluck().get() ?? 0,
    knows: (rid) => knows.get({ rid }) === 1,
    countBefore: (before) =>
      db.prepare<object, number>(`SELECT count(*) FROM (${old})`).pluck().get({ before }) ?? 0,
    extent: () =>
      db
        .prepare<[], ReturnType<Samples['extent']>>(
          'SELECT count(*) AS samples, min(ts) AS oldest, max(ts) AS newest FROM samples',
        )
        .get() ?? { samples: 0, oldest: null, newest: null },
  };
}

/** `isCharged` and `wasTried` of `protocol/charged.ts`; a test holds them together. */
const CHARGED = `op IN ('stream', 'nonstream') AND (attempts > 0 OR reason = 'ok')`;

/** By ccp itself: an upstream that refuses was asked before. */
const REFUSED = `attempts = 0 AND err_type IN ('limit', 'auth')`;

type DiversionRow = readonly [
  model: Diversion['model'],
  lane: string,
  decision: Diversion['decision'],
  count: number,
  refused: number,
  all: number,
];

function conditions({
  since,
  until,
  model,
  lane,
  lanes,
  charged,
}: { readonly [Name in keyof SampleFilter]: SampleFilter[Name] | undefined }) {
  const parts = ['TRUE'];
  if (since !== undefined) parts.push('ts >= :since');
  if (until !== undefined) parts.push('ts < :until');
  if (model !== undefined) parts.push('model = :model');
  if (lane !== undefined) parts.push('lane = :lane');
  if (charged === true) parts.push(CHARGED);
  if (lanes !== undefined) parts.push('lane IN (SELECT value FROM json_each(:lanes))');
  return { where: parts.join(' AND '), values: { since, until, model, lane, lanes: JSON.stringify(lanes) } };
}

const cursorOf = (...[ts, seq]: Place): string => Buffer.from(`${ts}.${seq}`).toString('base64url');

function placeOf(cursor: string): Place {
  const found = /^(-?\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (found === null) {
    throw new OperatorError('USAGE', 'cursor: not one that a page named', {
      hint: 'Take next_cursor of the page before as it is, or leave it out for the first page.',
    });
  }
  return [Number(found[1]), Number(found[2])];
}
