import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Whether an error is the operating system's `code`, e.g. `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Makes an empty file that marks what only one process may do; false where another one has made it. */
export function takeLock(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Modes of new folders, less what the umask takes: for the program alone, and for results that a person hands on. */
export const PRIVATE = 0o700;
export const SHARED = 0o777;

/**
 * Makes a folder and those above it; true where there was none. Throws what the system says, and `EEXIST` where something
 * else has the name. Every place that a person can name is made by this: Node's own recursive form never returns below a
 * folder that says ENOENT to everything, as /proc does.
 */
export function makeFolder(path: string, mode: typeof PRIVATE | typeof SHARED = PRIVATE): boolean {
  const make = (folder: string): boolean => {
    try {
      mkdirSync(folder, { mode });
      return true;
    } catch (error) {
      const isThere = hasCode(error, 'EEXIST') && statSync(folder, { throwIfNoEntry: false })?.isDirectory();
      if (isThere === true) return false;
      throw error;
    }
  };
  try {
    return make(path);
  } catch (error) {
    const above = dirname(path);
    if (!hasCode(error, 'ENOENT') || above === path) throw error;
    makeFolder(above, mode);
    return make(path);
  }
}

/** The nearest folder that is there, of a path and those above it, where nothing can be made there; else null. */
export function barredFolder(path: string): string | null {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory() ? null : folder;
  } catch {
    return folder;
  }
}

export interface ReplaceOptions {
  /** Of the new file, less what the umask takes. */
  readonly mode: number;
  /** Whether it must outlive a power cut: waits for the disk. */
  readonly durable: boolean;
}

/**
 * Puts a file in place of what is at `path` in one step: who reads meanwhile finds the old one or the new one. A
 * symbolic link is replaced and not followed; nor can one be laid in the way, as nobody knows the name of the draft.
 * Throws what the system says, and then leaves what was there.
 */
export function replaceFile(path: string, content: string | Uint8Array, options: ReplaceOptions): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx', options.mode);
    try {
      writeFileSync(file, content);
      if (options.durable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
