/** Packs a folder so that the same files give the same bytes, whoever packs them, where and when. */
import path from 'node:path';
import { create } from 'tar';
import { headerFor } from './archive.ts';
import { byPath } from './layout.ts';

/**
 * Writes `file` from the files named, which lie in `root` below `parent`. Order, modes and times are those of a bundle;
 * owners, the time of packing and the name of the machine are left out.
 */
export async function packBundle({
  file,
  parent,
  root,
  paths,
}: {
  readonly file: string;
  readonly parent: string;
  readonly root: string;
  /** Below `root`. */
  readonly paths: readonly string[];
}): Promise<void> {
  const { mode, mtime } = headerFor(root);
  await create(
    {
      file,
      cwd: parent,
      gzip: { level: 9 },
      portable: true,
      strict: true,
      noDirRecurse: true,
      mtime,
      // The umask of whoever packs had a say in it.
      onWriteEntry: (entry) => {
        if (entry.stat !== undefined) entry.stat.mode = mode;
      },
    },
    paths.map((name) => path.posix.join(root, name)).toSorted(byPath),
  );
}
