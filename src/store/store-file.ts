/** One open file of the store, for the thread that writes it and for the commands. */
import type Database from 'better-sqlite3';
import type { Cooldown, LimitHit } from '../protocol/meter.ts';
import { type Cooldowns, openCooldowns } from './cooldowns.ts';
import { type OpenOptions, openDatabase, openForReading } from './database.ts';
import { sizeOf } from './file-size.ts';
import { type LimitHits, openLimitHits } from './limit-hits.ts';
import { schemaVersion } from './migrations/migrate.ts';
import { openRollups, type Rollups } from './rollups.ts';
import type { SampleRow } from './sample-row.ts';
import { openSamples, type Samples } from './samples.ts';

/** What is committed together. */
export interface Batch {
  readonly samples: readonly SampleRow[];
  readonly cooldowns: readonly Cooldown[];
  readonly hits: readonly LimitHit[];
}

export interface FileStatus {
  readonly path: string;
  readonly schema_version: number;
  /** The file and its write-ahead log. */
  readonly bytes: number;
  readonly samples: number;
  readonly oldest: number | null;
  readonly newest: number | null;
}

export interface StoreFile extends Disposable {
  readonly db: Database.Database;
  readonly samples: Samples;
  readonly rollups: Rollups;
  readonly cooldowns: Cooldowns;
  readonly limitHits: LimitHits;
  /** Commits a batch, or nothing of it; gives how many samples were new. */
  write(batch: Batch): number;
  /**
   * Commits exchanges of before, and with them that there are more, for the proxy that has the file open: whoever does it
   * may be killed right afterwards. Gives how many were new.
   */
  putIn(rows: readonly SampleRow[]): number;
  /** How often new ones were put in. */
  imports(): number;
  status(): FileStatus;
  /** Hands pages that are free back to the file system. */
  shrink(): void;
}

/** 4 MB: a moment of the file's lock. */
const PAGES_AT_ONCE = 1_000;

/** Opens for writing; throws as `openDatabase` does. */
export const openStoreFile = (path: string, options?: OpenOptions): StoreFile =>
  storeFile(openDatabase(path, options), path);

/** Opens one that is there for reading; throws as `openForReading` does. */
export const readStoreFile = (path: string): StoreFile => storeFile(openForReading(path), path);

/** The parts of a store in an open database. */
function storeFile(db: Database.Database, path: string): StoreFile {
  const samples = openSamples(db);
  const cooldowns = openCooldowns(db);
  const limitHits = openLimitHits(db);
  const write = db.transaction((batch: Batch): number => {
    cooldowns.save(batch.cooldowns);
    limitHits.save(batch.hits);
    return samples.insert(batch.samples);
  });
  // A number in the head of the file that SQLite leaves to its users.
  const imports = db.prepare<[], number>('PRAGMA user_version').pluck();
  const putIn = db.transaction((rows: readonly SampleRow[]): number => {
    const added = samples.insert(rows);
    if (added > 0) db.pragma(`user_version = ${(imports.get() ?? 0) + 1}`);
    return added;
  });
  return {
    db,
    samples,
    rollups: openRollups(db),
    cooldowns,
    limitHits,
    write: (batch) => write.immediate(batch),
    putIn: (rows) => putIn.immediate(rows),
    imports: () => imports.get() ?? 0,
    status: () => ({
      path,
      schema_version: schemaVersion(db),
      bytes: sizeOf(path),
      ...samples.extent(),
    }),
    shrink() {
      while (Number(db.pragma('freelist_count', { simple: true })) > 0)
        db.pragma(`incremental_vacuum(${PAGES_AT_ONCE})`);
      db.pragma('wal_checkpoint(TRUNCATE)');
    },
    [Symbol.dispose]: () => void db.close(),
  };
}
