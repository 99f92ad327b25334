/**
 * An append-only file of lines that several processes may share. A line is handed to the kernel by one write
 * on a descriptor in append mode: it is whole whatever else is written, and survives a kill of this process.
 * The size is kept in memory; the name is looked at once a second at most, and only when a line is written.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { hasCode, makeFolder } from '../../platform/files.ts';
import { type FileIdentity, isSameFile, rotateFile, statOrNull } from './rotation.ts';
import type { Trouble } from './trouble.ts';

export interface LineFileOptions {
  readonly path: string;
  /** A file that would grow beyond this many bytes is rotated first; a longer line gets a file of its own. */
  readonly maxBytes: number;
  /** A file is rotated once its first line is this old, in milliseconds, counted across restarts. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly trouble: Trouble;
}

export interface LineFile {
  /** Opens the file, and its folder where it is missing, so that an operator hears at once if that fails. */
  prepare(): void;
  /** Writes `text`, which holds no line break, as one line. Never throws. */
  append(text: string): void;
  /** Rotates now, unless the file is empty: then, and where it failed, null; else the new name. Never throws. */
  rotate(): string | null;
  /** Closes the descriptor. A line that comes later opens it again: shutting down loses nothing. */
  close(): void;
}

interface OpenFile extends FileIdentity {
  readonly fd: number;
  size: number;
  /** Epoch milliseconds of the first line. */
  bornAt: number;
  /** The last line lacks its line break: a writer was killed, or the disk was full. */
  torn: boolean;
}

const CHECK_MS = 1_000;
const REMEDY =
  'Its lines are lost until it can: let this user write there, or name another folder with CCP_LOGS_DIR.';
const NEWLINE = 0x0a;

export function createLineFile({ path, maxBytes, maxAgeMs, clock, trouble }: LineFileOptions): LineFile {
  const name = basename(path);
  let file: OpenFile | null = null;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let rotateFrom = Number.NEGATIVE_INFINITY;
  let unopened: unknown = null;

  /** Makes sure that `file` is what `path` names now, with the size that it has now. */
  const check = (): void => {
    checkedAt = clock.monotonic();
    try {
      if (file !== null && !isUpToDate(file, path)) close();
      file ??= openLines(path);
    } catch (error) {
      unopened = error;
    }
  };

  const close = (): void => {
    if (file !== null) closeSync(file.fd);
    file = null;
    checkedAt = Number.NEGATIVE_INFINITY;
  };

  const rotate = (current: OpenFile, force: boolean): string | null => {
    let rotatedTo: string | null = null;
    try {
      rotatedTo = rotateFile({ path, current, now: clock.now(), force });
    } catch (error) {
      trouble(`${name} could not be rotated`, error);
    }
    // Until then the file grows beyond its limits: better than a line lost.
    if (rotatedTo === null) rotateFrom = clock.monotonic() + CHECK_MS;
    check();
    return rotatedTo;
  };

  const isDue = (current: OpenFile, bytes: number): boolean =>
    current.size > 0 && (current.size + bytes > maxBytes || clock.now() - current.bornAt >= maxAgeMs);

  const openNow = (): OpenFile | null => {
    if (clock.monotonic() - checkedAt >= CHECK_MS) check();
    return file;
  };

  return {
    prepare() {
      if (openNow() === null) trouble(`${name} cannot be opened`, unopened, REMEDY);
    },
    append(text) {
      const line = Buffer.from(`${text}\n`);
      const before = openNow();
      if (before !== null && isDue(before, line.length) && clock.monotonic() >= rotateFrom)
        rotate(before, false);
      try {
        if (file === null) throw unopened;
        if (file.size === 0) file.bornAt = clock.now();
        write(file, file.torn ? Buffer.concat([Buffer.of(NEWLINE), line]) : line);
      } catch (error) {
        trouble(`a line of ${name} was lost`, error);
      }
    },
    rotate() {
      check();
      return file === null || file.size === 0 ? null : rotate(file, true);
    },
    close,
  };
}

/** One write, unless the disk fills up in its midst: then the error of the next one ends it. */
function write(file: OpenFile, bytes: Buffer): void {
  let done = 0;
  try {
    while (done < bytes.length) done += writeSync(file.fd, bytes, done);
  } finally {
    file.size += done;
    if (done > 0) file.torn = bytes[done - 1] !== NEWLINE;
  }
}

function isUpToDate(file: OpenFile, path: string): boolean {
  const named = statOrNull(path);
  return isSameFile(named, file) && named?.size === BigInt(file.size);
}

/** Throws what the file system throws, e.g. ELOOP where the name is a symbolic link. */
function openLines(path: string): OpenFile {
  const fd = openForAppending(path);
  try {
    const { dev, ino, size: bytes, birthtimeMs } = fstatSync(fd, { bigint: true });
    const size = Number(bytes);
    const bornAt = birthOfFirstLine(fd) ?? Number(birthtimeMs);
    return { fd, dev, ino, size, bornAt, torn: size > 0 && readByte(fd, size - 1) !== NEWLINE };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openForAppending(path: string): number {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    makeFolder(dirname(path));
    return openSync(path, flags, 0o600);
  }
}

/** What the first line says of its time: file systems and copies do not keep the time of a file's birth. */
function birthOfFirstLine(fd: number): number | null {
  const start = Buffer.alloc(4096);
  const [first = ''] = start.toString('utf8', 0, readSync(fd, start, 0, start.length, 0)).split('\n', 1);
  const stamp = /"ts":"([^"]+)"/.exec(first)?.[1];
  const time = stamp === undefined ? Number.NaN : Date.parse(stamp);
  return Number.isNaN(time) ? null : time;
}

function readByte(fd: number, position: number): number | undefined {
  const byte = Buffer.alloc(1);
  return readSync(fd, byte, 0, 1, position) === 1 ? byte[0] : undefined;
}
