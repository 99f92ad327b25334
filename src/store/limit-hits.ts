import type Database from 'better-sqlite3';
import type { LimitHit } from '../protocol/meter.ts';

/** What the upstreams' limits did, from which the quotas are calibrated. */
export interface LimitHits {
  /** One per exchange, lane and key. Within a transaction of the caller. */
  save(hits: readonly LimitHit[]): void;
  /** The newest thousand, oldest first: more would say nothing new. */
  all(): readonly LimitHit[];
}

const KEPT_IN_VIEW = 1000;
const COLUMNS = 'rid, ts, lane, key, kind, rolling_pct, weekly_pct, since_warn_s, resets_at';

export function openLimitHits(db: Database.Database): LimitHits {
  const save = db.prepare<LimitHit>(
    `INSERT INTO limit_hits (${COLUMNS}) VALUES (:rid, :ts, :lane, :key, :kind, :rolling_pct, :weekly_pct,
     :since_warn_s, :resets_at) ON CONFLICT DO NOTHING`,
  );
  const newest = db.prepare<[number], LimitHit>(
    `SELECT ${COLUMNS} FROM limit_hits ORDER BY ts DESC, rowid DESC LIMIT ?`,
  );
  return {
    save: (hits) => hits.forEach((hit) => void save.run(hit)),
    all: () => newest.all(KEPT_IN_VIEW).toReversed(),
  };
}
