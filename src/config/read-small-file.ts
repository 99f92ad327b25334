import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { OperatorError } from '../errors.ts';

/** Configuration is written by hand; what is larger is something else. */
const MAX_BYTES = 1024 * 1024;
const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/**
 * The bytes of a configuration file, null where there is none. Opened without blocking and looked at
 * before it is read: a pipe or a device of that name, in a stranger's folder, must not hang the program.
 * Throws `CONFIG` where it is there and can't be read, is no file, or is over `maxBytes` (1 MiB).
 */
export function readSmallFile(path: string, maxBytes = MAX_BYTES): Buffer | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(error.code)) return null;
    throw new OperatorError('CONFIG', `${path} cannot be read: ${String(error)}`, { cause: error });
  }
  try {
    const { size, isFile } = look(descriptor);
    if (!isFile) return null;
    if (size > maxBytes) throw new OperatorError('CONFIG', `${path} is larger than ${maxBytes} bytes`);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0));
  } finally {
    closeSync(descriptor);
  }
}

function look(descriptor: number): { size: number; isFile: boolean } {
  const stats = fstatSync(descriptor);
  return { size: stats.size, isFile: stats.isFile() };
}
