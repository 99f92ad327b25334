import { statSync } from 'node:fs';

/** Bytes of the file and its write-ahead log; 0 where there is none. */
export function sizeOf(path: string): number {
  return [path, `${path}-wal`].reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
