import { existsSync, renameSync } from 'node:fs';

/**
 * Sets a damaged store aside with what belongs to it, as `PATH.damaged-UTC`; nothing is deleted. Gives the new name.
 * Its log goes first: a new file must never find the log of another.
 */
export function setAside(path: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '');
  const aside = `${path}.damaged-${stamp}`;
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}
