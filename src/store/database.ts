/** Opens the file of the store: its rights, its mode, its integrity, its schema. */
import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { hasCode, makeFolder } from '../platform/files.ts';
import { applicationIdOf, hasLog, mustBeCandidate } from './candidate.ts';
import { sizeOf } from './file-size.ts';
import { APPLICATION_ID, migrate, mustBeCurrent, mustBeKnown, schemaVersion } from './migrations/migrate.ts';

/** How long a statement waits for another process that writes, in milliseconds, where nobody says `busyMs`. */
const BUSY_MS = 2_000;
/** A write-ahead log that an import made longer is cut to this many bytes. */
const WAL_BYTES = 64 * 1024 * 1024;
/** Up to this size the whole file is checked at start (about 0.1 s); a larger one beside the work. */
export const CHECKED_AT_START = 8 * 1024 * 1024;
/** Up to this size commands check it (about 0.8 s): no exchange waits for them. */
export const CHECKED_BY_COMMANDS = 64 * 1024 * 1024;

export interface OpenOptions {
  /** How long it waits for another process that writes, in milliseconds. */
  readonly busyMs?: number;
  /** A larger file, in bytes, is not checked. */
  readonly checkedUpTo?: number;
}

/**
 * Opens the store for writing, makes it where there is none or an empty file (mode 0600) and brings its schema up to date. Throws what
 * SQLite says; `isDamage` tells whether the file itself is at fault. `CONFIG` for a file that is not ours to write.
 */
export function openDatabase(
  path: string,
  { busyMs = BUSY_MS, checkedUpTo = CHECKED_AT_START }: OpenOptions = {},
): Database.Database {
  mustBeCandidate(path);
  createPrivately(path);
  const db = new Database(path, { timeout: busyMs });
  try {
    // First: of another program's file it is not ours to say that it is damaged.
    mustBeKnown(db);
    if (sizeOf(path) <= checkedUpTo) check(db);
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
 * Opens a store that is there for reading, beside whoever writes. Throws what SQLite says, or `CONFIG` as above or of
 * `judge`.
 * Who only reads cannot remove the log and the index that SQLite makes for it. So where nobody has made them yet the
 * file is opened as by one who might write, and does not: SQLite then removes both as the last one leaves.
 */
export function openForReading(path: string, judge = mustBeCurrent): Database.Database {
  mustBeCandidate(path);
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

/** Whether a file, of any name, is a store that some ccp wrote; one that another program marked as its own is not opened. */
export function isStore(path: string): boolean {
  const id = applicationIdOf(path);
  // A young store has it in its log alone.
  if (id !== 0 || !hasLog(path)) return id === APPLICATION_ID;
  try {
    openForReading(path, (db) => {
      if (schemaVersion(db) === 0) throw new Error('empty');
    }).close();
    return true;
  } catch {
    return false;
  }
}

/** A damaged file that SQLite can open. */
class DamagedError extends Error {}

/**
 * Reads the whole file and throws where it is damaged. Also its indexes, which the quick check passes over and which take
 * three times as long: over a broken one an exchange comes in twice.
 */
export function check(db: Database.Database): void {
  const found = db.pragma('integrity_check(1)', { simple: true });
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
    // An empty file that somebody put there has the rights that they had at hand.
    const { size, mode } = statSync(path);
    if (size === 0 && (mode & 0o077) !== 0) chmodSync(path, 0o600);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    makeFolder(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
  }
}
