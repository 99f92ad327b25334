import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { OperatorError } from '../errors.ts';

/** Configuration is written by hand; what is larger is something else. */
const MAX_BYTES = 1024 * 1024;
const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

export type SmallFile =
  | { readonly state: 'read'; readonly bytes: Buffer }
  /** Nothing is there, something that is no file, or one over the limit. */
  | { readonly state: 'absent' | 'no_file' | 'too_large' }
  /** `why` is a sentence without its full stop. */
  | { readonly state: 'refused'; readonly why: string; readonly cause: unknown };

/**
 * The bytes of a configuration file, null where there is none. Throws `CONFIG` where it is there and can't be read,
 * or is over `maxBytes` (1 MiB).
 */
export function readSmallFile(path: string, maxBytes = MAX_BYTES): Buffer | null {
  const found = lookAtSmallFile(path, maxBytes);
  switch (found.state) {
    case 'read':
      return found.bytes;
    case 'absent':
    case 'no_file':
      return null;
    case 'too_large':
      throw new OperatorError('CONFIG', `${path} is larger than ${maxBytes} bytes`);
    case 'refused':
      // A link that leads round in circles holds no settings: it is as good as absent.
      if (codeOf(found.cause) === 'ELOOP') return null;
      throw new OperatorError('CONFIG', found.why, { cause: found.cause });
  }
}

/**
 * What is at a path, its bytes where it is a file of at most `maxBytes`; symbolic links are followed. Opened without
 * blocking and looked at before it is read: a pipe or a device of that name, in a stranger's folder, must not hang the
 * program. Never throws.
 */
export function lookAtSmallFile(path: string, maxBytes: number): SmallFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size, isFile } = look(descriptor);
    if (!isFile) return { state: 'no_file' };
    if (size > maxBytes) return { state: 'too_large' };
    const bytes = Buffer.alloc(size);
    return { state: 'read', bytes: bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0)) };
  } catch (cause) {
    if (ABSENT.has(codeOf(cause))) return { state: 'absent' };
    return { state: 'refused', why: `${path} cannot be read: ${String(cause)}`, cause };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

function look(descriptor: number): { size: number; isFile: boolean } {
  const stats = fstatSync(descriptor);
  return { size: stats.size, isFile: stats.isFile() };
}
