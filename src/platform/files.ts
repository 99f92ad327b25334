import { closeSync, mkdirSync, openSync } from 'node:fs';
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

/**
 * Makes a private folder (0700) and those above it; true where there was none. Throws what the system says.
 * Node's own recursive form never returns below a folder that says ENOENT to everything, as /proc does.
 */
export function makeFolder(path: string): boolean {
  const make = (folder: string): boolean => {
    try {
      mkdirSync(folder, { mode: 0o700 });
      return true;
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false;
      throw error;
    }
  };
  try {
    return make(path);
  } catch (error) {
    const above = dirname(path);
    if (!hasCode(error, 'ENOENT') || above === path) throw error;
    makeFolder(above);
    return make(path);
  }
}
