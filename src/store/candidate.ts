/** Whether what lies under a name could be a store at all: what could not is never set aside as a damaged one. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { OperatorError } from '../errors.ts';

/** What each SQLite file begins with. */
const MAGIC = Buffer.from('SQLite format 3\0');
const ID_AT = 68;
const STORE_NAME = /\.(sqlite3?|db)$/;
/** What `setAside` makes of the name of a store. */
const SET_ASIDE = /\.damaged-\d{8}T[\d.]+Z$/;
const ANOTHER = 'Name another file with CCP_DB_PATH';

/**
 * Throws `CONFIG` for what is there and was never a store: a folder, a device, a file of another kind. One that lost its
 * beginning is a store by its name, or by what SQLite put beside it.
 */
export function mustBeCandidate(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (there.isDirectory()) {
    throw new OperatorError('CONFIG', `${path} is a folder, and no file for the store`, {
      hint: `${ANOTHER}, e.g. one in this folder.`,
    });
  }
  if (!there.isFile()) {
    throw new OperatorError('CONFIG', `${path} is a device or a pipe, and no file for the store`, {
      hint: `${ANOTHER}.`,
    });
  }
  if (there.size === 0 || namedAs(path) !== null || hasLog(path) || beginsAsSqlite(path)) return;
  throw new OperatorError('CONFIG', `${path} is a file of another kind, and no store: it was left as it is`, {
    hint: `${ANOTHER}, or move this one away.`,
  });
}

/** The mark that a program left in the head of its SQLite file, 0 for none; null where it is no SQLite file. */
export function applicationIdOf(path: string): number | null {
  const head = beginningOf(path, ID_AT + 4);
  const isSqlite = head?.length === ID_AT + 4 && head.subarray(0, MAGIC.length).equals(MAGIC);
  return isSqlite ? head.readUInt32BE(ID_AT) : null;
}

/** What a file is by its name alone, whatever it holds; null for no store. */
export function namedAs(path: string): 'store' | 'set aside' | null {
  if (SET_ASIDE.test(path)) return 'set aside';
  return STORE_NAME.test(path) ? 'store' : null;
}

/** Whether a file of the name of a store holds what is no database any more, or cannot be read. */
export function isLostStore(path: string): boolean {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return namedAs(path) === 'store' && bytes > 0 && applicationIdOf(path) === null;
}

/** Whether SQLite's log or index of a file lies beside it. */
export const hasLog = (path: string): boolean => ['-wal', '-shm'].some((suffix) => existsSync(path + suffix));

const beginsAsSqlite = (path: string): boolean => beginningOf(path, MAGIC.length)?.equals(MAGIC) ?? true;

/** Null where it cannot be read: then SQLite says why. */
function beginningOf(path: string, bytes: number): Buffer | null {
  try {
    const fd = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(fd, buffer, 0, bytes, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}
