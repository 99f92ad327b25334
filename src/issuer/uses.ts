/**
 * How often each invite was redeemed. A use is a file `uses/<invite>/<n>` that only one can make (O_EXCL), so that
 * neither a race, nor a kill at any moment, nor a second issuer on the same folder gets past the maximum. A kill
 * between the use and the answer loses the use; it never gives one too many.
 */
import { closeSync, fsyncSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode, makeFolder } from '../platform/files.ts';
import type { Invite } from './invites.ts';

export interface Uses {
  /** How many are left. */
  left(invite: Invite): number;
  /** Takes one, on disk before this returns; null where none is left. `note` says what it was for. */
  take(invite: Invite, note: object): Use | null;
}

export interface Use {
  /** For a use that came to nothing. */
  giveBack(): void;
}

/** Throws what the file system throws. Blocks for the length of a few `fsync`s: a use is a rare event. */
export function createUses(stateDir: string): Uses {
  const folderOf = (invite: Invite): string => join(stateDir, 'uses', invite.id.slice(0, 32));
  return {
    left: (invite) => Math.max(0, invite.maxUses - namesIn(folderOf(invite)).size),
    take(invite, note) {
      const folder = folderOf(invite);
      if (makeFolder(folder)) syncUpTo(stateDir, folder);
      const taken = namesIn(folder);
      for (let n = 1; n <= invite.maxUses; n += 1) {
        const path = join(folder, String(n));
        if (taken.has(String(n)) || !makeFile(path, `${JSON.stringify(note)}\n`)) continue;
        sync(folder);
        return { giveBack: () => rmSync(path) };
      }
      return null;
    },
  };
}

function namesIn(folder: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(folder));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return new Set();
    throw error;
  }
}

/** False where another one made it. */
function makeFile(path: string, text: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o600);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return true;
}

/** A new name survives a power cut only once the folder that holds it was synced. */
function syncUpTo(top: string, folder: string): void {
  for (let above = dirname(folder); above.length >= top.length; above = dirname(above)) sync(above);
}

function sync(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
