/** Opens the file of the store: its rights, its mode, its integrity, its schema. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { hasCode, makeFolder } from '../platform/files.ts';
import { sizeOf } from './file-size.ts';
import { migrate, mustBeCurrent, mustBeKnown } from './migrations/migrate.ts';

/** How long a statement waits for another process that writes, in milliseconds, where nobody says `busyMs`. */
const BUSY_MS = 2_000;
/** A write-ahead log that an import made longer is cut to this many bytes. */
const WAL_BYTES = 64 * 1024 * 1024;
/** Up to this size the whole file is read at start (about 0.1 s); a larger one is checked beside the work. */
export const CHECKED_AT_ONCE = 64 * 1024 * 1024;

/**
 * Opens the store for writing, makes it where there is none (mode 0600) and brings its schema up to date. Throws what
 * SQLite says; `isDamage` tells whether the file itself is at fault. `CONFIG` for a file that is not ours to write.
 */
export function openDatabase(path: string, busyMs = BUSY_MS): Database.Database {
  createPrivately(path);
  const db = new Database(path, { timeout: busyMs });
  try {
    if (sizeOf(path) <= CHECKED_AT_ONCE) check(db);
    mustBeKnown(db);
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    // A power cut may lose the last transactions, never the file; a killed process loses nothing.
    db.pragma('synchronous = NORMAL');
    db.pragma(`journal_size_limit = ${WAL_BYTES}`);
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens a store that is there for reading, beside whoever writes. Throws what SQLite says, or the `CONFIG` of `judge`.
 * Who only reads cannot remove the log and the index that SQLite makes for it. So where nobody has made them yet the
 * file is opened as by one who might write, and does not: SQLite then removes both as the last one leaves.
 */
export function openForReading(path: string, judge = mustBeCurrent): Database.Database {
  const db = new Database(path, {
    readonly: existsSync(`${path}-wal`),
    fileMustExist: true,
    timeout: BUSY_MS,
  });
  try {
    db.pragma('query_only = ON');
    judge(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A damaged file that SQLite can open. */
class DamagedError extends Error {}

/** Reads the whole file and throws where it is damaged. */
export function check(db: Database.Database): void {
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw new DamagedError(String(found).replaceAll(/\s+/g, ' '));
}

/** Whether an error says that the file is damaged, or no database at all. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedError) return true;
  return isSqlite(error) && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}

/** Whether SQLite says it; `code` is one of its own, e.g. `SQLITE_FULL`. */
export function isSqlite(error: unknown): error is InstanceType<typeof Database.SqliteError> {
  return error instanceof Database.SqliteError;
}

/** SQLite gives its log and its index the rights of the file. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    makeFolder(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
  }
}
