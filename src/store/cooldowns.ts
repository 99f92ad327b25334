import type Database from 'better-sqlite3';
import type { Cooldown } from '../protocol/meter.ts';

/** The lanes that are skipped for a while, across restarts. */
export interface Cooldowns {
  /** What was said last counts, also where it ends earlier. Within a transaction of the caller. */
  save(cooldowns: readonly Cooldown[]): void;
  /** Those that are not over at `now`, epoch milliseconds. */
  current(now: number): readonly Cooldown[];
  /** Deletes those that are over at `now`. */
  forget(now: number): void;
}

export function openCooldowns(db: Database.Database): Cooldowns {
  const save = db.prepare<Cooldown>(
    `INSERT INTO cooldowns (lane, key, until, stated) VALUES (:lane, :key, :until, :stated)
     ON CONFLICT (lane, key) DO UPDATE SET until = excluded.until, stated = excluded.stated`,
  );
  const current = db.prepare<[number], Cooldown>(
    'SELECT lane, key, until, stated FROM cooldowns WHERE until > ? ORDER BY lane, key',
  );
  const forget = db.prepare<[number]>('DELETE FROM cooldowns WHERE until <= ?');
  return {
    save: (cooldowns) => cooldowns.forEach((cooldown) => void save.run(cooldown)),
    current: (now) => current.all(now),
    forget: (now) => void forget.run(now),
  };
}
