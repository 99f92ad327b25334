/**
 * What clients had been sent of streams that ended abnormally: `partials/<rid>.partial`. They hold answers, so
 * only the owner may read them, and they are bounded: the newest ones stay.
 */
import { closeSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PartialSink } from '../../core/types.ts';
import { makeFolder } from '../../platform/files.ts';
import type { Trouble } from './trouble.ts';

export interface PartialsOptions {
  readonly dir: string;
  readonly trouble: Trouble;
  readonly maxFiles?: number;
  readonly maxBytes?: number;
}

interface Partial {
  readonly path: string;
  readonly bytes: number;
}

export const MAX_FILES = 200;
export const MAX_BYTES = 256 * 1024 * 1024;
const SUFFIX = '.partial';

export function createPartials({
  dir,
  trouble,
  maxFiles = MAX_FILES,
  maxBytes = MAX_BYTES,
}: PartialsOptions): PartialSink {
  /** Oldest first. Read from the folder once: a storm of broken streams must not list it each time. */
  let kept: Partial[] | null = null;
  let total = 0;

  return {
    write(rid, pieces) {
      try {
        if (makeFolder(dir)) keepOutOfGit(dir);
        if (kept === null) {
          kept = list(dir);
          total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
        }
        const content = Buffer.concat(pieces);
        if (content.length > maxBytes)
          throw new Error(`${content.length} bytes, at most ${maxBytes} are kept`);
        const path = join(dir, `${rid}${SUFFIX}`);
        writeNew(path, content);
        kept.push({ path, bytes: content.length });
        total += content.length;
        while (kept.length > maxFiles || total > maxBytes) {
          const oldest = kept.shift();
          if (oldest === undefined) break;
          rmSync(oldest.path, { force: true });
          total -= oldest.bytes;
        }
        return true;
      } catch (error) {
        trouble('a partial could not be kept', error);
        return false;
      }
    },
  };
}

/** Answers have no business in a repository that the logs happen to lie in. */
function keepOutOfGit(dir: string): void {
  writeFileSync(join(dir, '.gitignore'), '*\n', { mode: 0o600 });
}

/** Whole or not at all: half of what the client got would be a false record. */
function writeNew(path: string, content: Buffer): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(fd, content);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function list(dir: string): Partial[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => join(dir, name))
    .map((path) => ({ path, stats: statSync(path) }))
    .toSorted((a, b) => a.stats.mtimeMs - b.stats.mtimeMs)
    .map(({ path, stats }) => ({ path, bytes: stats.size }));
}
