/**
 * Which files of working directories the person has vouched for: path and SHA-256, kept in the state
 * folder. A file that changed since then is a stranger again.
 */
import { createHash } from 'node:crypto';
import { realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../errors.ts';
import type { Folders } from './folders.ts';
import { readSmallFile } from './read-small-file.ts';

const storeSchema = z.strictObject({ v: z.literal(1), files: z.record(z.string(), z.hash('sha256')) });

export type TrustState = 'trusted' | 'changed' | 'untrusted';

export interface TrustStore {
  /** The file that keeps it. */
  readonly path: string;
  /** Judges the very bytes that are about to be used, so that nothing can be swapped in between. */
  stateOf(path: string, bytes: Buffer): TrustState;
}

/** The store, and the right to change it. */
export interface TrustKeeper extends TrustStore {
  /** Vouches for a file as it is now; gives its digest. Throws `USAGE` where there is no such file. */
  trust(path: string): string;
  /** Takes it back; false where the file was not vouched for. */
  forget(path: string): boolean;
}

/** The person's store. It is read anew at each question: another process may have changed it. */
export function openTrust({ state }: Folders): TrustStore {
  const path = join(state, 'trust.json');
  return {
    path,
    stateOf(file, bytes) {
      const known = readStore(path)[canonical(file)];
      if (known === undefined) return 'untrusted';
      return known === digest(bytes) ? 'trusted' : 'changed';
    },
  };
}

/** The same, for the one command that changes it. `makeFolder` makes the folder that it lies in. */
export function openTrustKeeper(folders: Folders, makeFolder: (path: string) => void): TrustKeeper {
  const store = openTrust(folders);
  const { path } = store;
  const write = (files: Record<string, string>): void => {
    makeFolder(dirname(path));
    const draft = `${path}.${process.pid}`;
    try {
      writeFileSync(draft, `${JSON.stringify({ v: 1, files }, null, 2)}\n`, { mode: 0o600 });
      renameSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  };
  return {
    ...store,
    trust(file) {
      const bytes = readSmallFile(file);
      if (bytes === null) throw new OperatorError('USAGE', `there is no file ${file}`);
      const sha256 = digest(bytes);
      write({ ...readStore(path), [canonical(file)]: sha256 });
      return sha256;
    },
    forget(file) {
      const { [canonical(file)]: known, ...rest } = readStore(path);
      if (known !== undefined) write(rest);
      return known !== undefined;
    },
  };
}

function readStore(path: string): Record<string, string> {
  const bytes = readSmallFile(path);
  if (bytes === null) return {};
  const parsed = storeSchema.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data.files;
  throw new OperatorError('CONFIG', `${path} is not a trust store`, {
    hint: `Delete it and run "ccp trust FILE" again for each file.`,
  });
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** One name for one file, whatever links lead to it; a file that is gone keeps the name it would have. */
function canonical(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
