import type Database from 'better-sqlite3';
import type { LimitHit } from '../protocol/meter.ts';

/** What the upstreams' limits did, from which the quotas are calibrated. */
export interface LimitHits {
  /** One per exchange, lane and key. Within a transaction of the caller. */
  save(hits: readonly LimitHit[]): void;
  /** Of each lane and key the newest that tell how full a window was when it was hit, oldest first. */
  telling(): readonly LimitHit[];
  /** Deletes all but those and the newest of the rest: keys may be names that a client made up. */
  forget(): void;
}

const TELLING_OF_ONE = 20;
const KEPT = 2000;
const COLUMNS = 'rid, ts, lane, key, kind, rolling_pct, weekly_pct, since_warn_s, resets_at';

export function openLimitHits(db: Database.Database): LimitHits {
  const save = db.prepare<LimitHit>(
    `INSERT INTO limit_hits (${COLUMNS}) VALUES (:rid, :ts, :lane, :key, :kind, :rolling_pct, :weekly_pct,
     :since_warn_s, :resets_at) ON CONFLICT DO NOTHING`,
  );
  const numbered = `SELECT rowid AS place, row_number() OVER (PARTITION BY lane, key ORDER BY ts DESC, rowid DESC) AS number
     FROM limit_hits WHERE kind = 'window' AND max(ifnull(rolling_pct, 0), ifnull(weekly_pct, 0)) > 0`;
  const telling = `SELECT place FROM (${numbered}) WHERE number <= ${TELLING_OF_ONE}`;
  const newest = `SELECT rowid FROM limit_hits ORDER BY ts DESC, rowid DESC LIMIT ${KEPT}`;
  const read = db.prepare<[], LimitHit>(
    `SELECT ${COLUMNS} FROM limit_hits WHERE rowid IN (${telling}) ORDER BY ts, rowid`,
  );
  const forget = db.prepare(
    `DELETE FROM limit_hits WHERE rowid NOT IN (${newest}) AND rowid NOT IN (${telling})`,
  );
  return {
    save: (hits) => hits.forEach((hit) => void save.run(hit)),
    telling: () => read.all(),
    forget: () => void forget.run(),
  };
}
