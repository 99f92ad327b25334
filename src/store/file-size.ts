import { statSync } from 'node:fs';

/** Bytes of the file and its write-ahead log; 0 for what is not there or cannot be looked at. */
export const sizeOf = (path: string): number => sizeOfOne(path) + sizeOfOne(`${path}-wal`);

function sizeOfOne(file: string): number {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}
