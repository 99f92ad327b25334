import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { byPath } from './layout.ts';

/** Every file below `root/folder`, relative to `root`, in order. */
export async function filesBelow(root: string, folder = '.'): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .toSorted(byPath);
}
