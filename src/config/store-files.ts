/** The file of the store for the commands. Loads SQLite, which the relaying thread never does. */
import { existsSync } from 'node:fs';
import { OperatorError } from '../errors.ts';
import type { Rollup } from '../protocol/meter.ts';
import { inodeOf, setAside } from '../store/damage.ts';
import { CHECKED_BY_COMMANDS, check, isDamage, openForReading } from '../store/database.ts';
import { absentStore, failureOf } from '../store/explain.ts';
import { errorOf } from '../store/failure.ts';
import { sizeOf } from '../store/file-size.ts';
import { mustBeKnown, schemaVersion } from '../store/migrations/migrate.ts';
import { openStoreFile, readStoreFile, type StoreFile } from '../store/store-file.ts';

export { POINT_IN_TIME_ALLOWED, parseMoment, settle } from '../protocol/point-in-time.ts';
export { isLostStore, namedAs } from '../store/candidate.ts';
export { check, isStore } from '../store/database.ts';
export { CSV_HEADING, csvLine, exportLine, readExportLine } from '../store/export.ts';
export { type MergedStore, mergeStores } from '../store/merge.ts';
export { KEEP_HOURS_MS } from '../store/rollups.ts';
export { rowOf, type SampleRow, sampleOf } from '../store/sample-row.ts';
export type { SampleFilter } from '../store/samples.ts';
export type { StoreFile } from '../store/store-file.ts';

/** The store for a command that only reads. Throws `NOT_READY` where it cannot, with what to do. */
export function openStoreToRead(path: string): StoreFile {
  if (!existsSync(path)) throw absentStore(path);
  return forOperator(path, () => readStoreFile(path));
}

export interface StoreLook {
  /** Null in a file that is empty: no store was begun in it yet. */
  readonly exchanges: number | null;
  /** Whether the whole file was read for damage; false where that would take long. */
  readonly checked: boolean;
}

/**
 * Looks at a store that is there, of an older schema, too, which the next start brings up to date. Throws for what is
 * damaged, or no store of this ccp, with what to do.
 */
export function lookAtStore(path: string): StoreLook {
  return forOperator(path, () => {
    const db = openForReading(path, mustBeKnown);
    try {
      const checked = sizeOf(path) <= CHECKED_BY_COMMANDS;
      if (checked) check(db);
      const isEmpty = schemaVersion(db) === 0;
      const count = (): number => db.prepare<[], number>('SELECT count(*) FROM samples').pluck().get() ?? 0;
      return { exchanges: isEmpty ? null : count(), checked };
    } finally {
      db.close();
    }
  });
}

/**
 * The lanes and models of what ended since then (epoch milliseconds) or in that hour: from the hours, a read of
 * milliseconds however much there is. `(other)` where more models came than the hours tell apart. Throws as
 * `openStoreToRead` does.
 */
export function modelsInStore(path: string, since: number): readonly Pick<Rollup, 'lane' | 'model'>[] {
  using store = openStoreToRead(path);
  return forOperator(path, () => store.rollups.read({ granularity: 'hour', by: 'served_model', since }));
}

/**
 * The store for a command that writes, made where there is none. One that is damaged is set aside, and `onDamage` told;
 * where that is null it is left, and `CHECK_FAILED` thrown. `busyMs` is how long it waits, then and later, for another
 * process that writes, in milliseconds.
 */
export function openStoreToWrite(
  path: string,
  onDamage: ((aside: string) => void) | null,
  busyMs?: number,
): StoreFile {
  const open = (): StoreFile =>
    openStoreFile(path, { checkedUpTo: CHECKED_BY_COMMANDS, ...(busyMs !== undefined && { busyMs }) });
  return forOperator(path, () => {
    const inode = inodeOf(path);
    try {
      return open();
    } catch (error) {
      if (onDamage === null || !isDamage(error)) throw error;
      const aside = setAside(path, inode, Date.now());
      if (aside !== null) onDamage(aside);
      return open();
    }
  });
}

/** Does something with the file at `path`; what SQLite says becomes a sentence for the operator. */
export function forOperator<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw forOperatorError(path, error);
  }
}

/** The same for what takes so long that it waits by the way. */
export async function forOperatorAsync<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw forOperatorError(path, error);
  }
}

function forOperatorError(path: string, error: unknown): unknown {
  if (error instanceof OperatorError) return error;
  if (!isDamage(error)) {
    const failure = failureOf(error, path);
    return failure.code === null ? error : errorOf(failure);
  }
  const problem = error instanceof Error ? error.message : String(error);
  return new OperatorError('CHECK_FAILED', `the store ${path} is damaged: ${problem}`, {
    hint: 'The next "ccp serve" or "ccp db import --jsonl LOG --rotated" sets it aside and begins a new one.',
    cause: error,
  });
}
