import { existsSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs';
import { takeLock } from '../platform/files.ts';

/** It takes well under a millisecond; a lock this old was left by a process that was killed. */
const STALE_LOCK_MS = 10_000;

/** Which file a name stands for; null where there is none. */
export function inodeOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

/**
 * Sets a damaged store aside with what belongs to it, as `PATH.damaged-UTC`; nothing is deleted. Gives the new name, or
 * null where it was left: `path` is no longer the file `inode` that was found damaged, or another process is at it.
 */
export function setAside(path: string, inode: bigint | null, now: number): string | null {
  const lock = `${path}.lock`;
  if (!takeLock(lock)) {
    clearStale(lock, now);
    return null;
  }
  try {
    if (inodeOf(path) !== inode) return null;
    const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '');
    const aside = `${path}.damaged-${stamp}`;
    // Its log goes first: a new file must never find the log of another.
    for (const suffix of ['-wal', '-shm', '']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    return aside;
  } finally {
    rmSync(lock, { force: true });
  }
}

function clearStale(lock: string, now: number): void {
  const made = lstatSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && now - made > STALE_LOCK_MS) rmSync(lock, { force: true });
}
