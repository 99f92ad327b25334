import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode, makeFolder, replaceFile } from '../../platform/files.ts';
import type { LicensePack } from '../../protocol/license.ts';

/**
 * Writes a pack in one step, for its owner's eyes (0600), making its folder where it is missing: who reads meanwhile,
 * or after a power cut, finds the old pack or the new one. A symbolic link of that name is replaced and not followed.
 * Throws what the file system says.
 */
export function storePack(path: string, { license, signature }: LicensePack): void {
  makeFolder(dirname(path));
  const text = `${JSON.stringify({ license, signature }, null, 2)}\n`;
  replaceFile(path, text, { mode: 0o600, durable: true });
}

/** Removes the stored pack, of a symbolic link the link only; false where there was none. */
export function removePack(path: string): boolean {
  try {
    rmSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
