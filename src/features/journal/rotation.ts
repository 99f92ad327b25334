/**
 * Renames `x` to `x.1`, `x.1` to `x.2` … `x.5`, so that no line is lost, also where several processes append
 * to `x`. They hold descriptors, which follow the renamed file; each looks at the name once a second at most
 * and then moves on. Only the oldest copy is ever dropped, and only once nobody can still be writing to it.
 */
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { takeLock } from '../../platform/files.ts';

export const COPIES = 5;

/** Twice the time in which a process that shares the file notices that it was renamed. */
const SETTLED_MS = 2_000;
/** A rotation takes well under a millisecond; a lock this old was left by a process that was killed. */
const STALE_LOCK_MS = 10_000;

/** Which file a name stands for; survives a rename. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

export interface RotationOptions {
  readonly path: string;
  /** The file that the caller takes `path` to be: nothing happens where another process rotated it before. */
  readonly current: FileIdentity;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Drops the oldest copy, however young: an operator's order. */
  readonly force: boolean;
}

/** Gives the new name of the file, or null where it is not the time. Throws what the file system throws. */
export function rotateFile({ path, current, now, force }: RotationOptions): string | null {
  const lock = `${path}.lock`;
  if (!takeLock(lock)) {
    clearStale(lock, now);
    return null;
  }
  try {
    if (!isSameFile(statOrNull(path), current)) return null;
    const free = firstFree(path);
    if (free === null && !force && isUnsettled(copyName(path, COPIES), now)) return null;
    for (let copy = (free ?? COPIES) - 1; copy >= 1; copy -= 1) {
      renameSync(copyName(path, copy), copyName(path, copy + 1));
    }
    renameSync(path, copyName(path, 1));
    return copyName(path, 1);
  } finally {
    rmSync(lock, { force: true });
  }
}

export function copyName(path: string, copy: number): string {
  return `${path}.${copy}`;
}

export function isSameFile(a: FileIdentity | null, b: FileIdentity): boolean {
  return a !== null && a.ino === b.ino && a.dev === b.dev;
}

/** Does not follow a symbolic link: what a link points to is not ours to rename or write. */
export function statOrNull(path: string): (FileIdentity & { readonly size: bigint }) | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** The lowest copy number not in use. Shifting only up to a gap keeps copies that a naive shift would drop. */
function firstFree(path: string): number | null {
  for (let copy = 1; copy <= COPIES; copy += 1) {
    if (statOrNull(copyName(path, copy)) === null) return copy;
  }
  return null;
}

/** Whether the file was written a moment ago, perhaps by a process that has yet to notice the rotation. */
function isUnsettled(path: string, now: number): boolean {
  // The clock counts whole milliseconds, the file parts of them: a write of this one must not seem to come.
  const age = now - Math.floor(lstatSync(path).mtimeMs);
  return age >= 0 && age < SETTLED_MS;
}

/**
 * Whoever clears a stale lock leaves the rotation to its next try: two that clear at once can then never
 * remove each other's fresh lock.
 */
function clearStale(lock: string, now: number): void {
  const held = lstatSync(lock, { throwIfNoEntry: false });
  if (held !== undefined && now - held.mtimeMs > STALE_LOCK_MS) rmSync(lock, { force: true });
}
