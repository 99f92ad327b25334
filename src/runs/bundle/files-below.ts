import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { byPath } from './layout.ts';

export interface Below {
  readonly files: readonly string[];
  /** Neither file nor folder: links, whatever they lead to, pipes, sockets, devices. */
  readonly others: readonly string[];
}

/** Everything below `root/folder` but the folders, relative to `root`, in order. No link is followed. */
export async function everythingBelow(root: string, folder = '.'): Promise<Below> {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
  const named = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({
      name: path.relative(root, path.join(entry.parentPath, entry.name)),
      plain: entry.isFile(),
    }))
    .toSorted((a, b) => byPath(a.name, b.name));
  const those = (wanted: boolean): string[] =>
    named.flatMap(({ name, plain }) => (plain === wanted ? [name] : []));
  return { files: those(true), others: those(false) };
}

/** Every file below `root/folder`, relative to `root`, in order. */
export const filesBelow = async (root: string, folder?: string): Promise<readonly string[]> =>
  (await everythingBelow(root, folder)).files;
