/** Which files of a kind count: one that was named, else the working directory's and the user's. */
import { join } from 'node:path';
import type { PlacedBytes, PlacedFile } from '../platform/placed-file.ts';
import { readSmallFile } from './read-small-file.ts';
import type { TrustStore } from './trust.ts';

export interface Places {
  /** E.g. `providers.yaml`: in `configs` of the working directory, and in the user's folder. */
  readonly name: string;
  /** Named by a flag or a trusted setting: then it is the only one, and must be there. */
  readonly named: string | null;
  readonly cwd: string;
  readonly configFolder: string;
  readonly trust: TrustStore;
}

/**
 * In order of precedence. The one in the working directory counts only while it is trusted: a catalog moves prompts or
 * keys to another host, and a quota moves them to another lane.
 */
export function placedFiles({ name, named, cwd, configFolder, trust }: Places): readonly PlacedFile[] {
  if (named !== null) return [{ path: named, required: true, read: () => readOwn(named) }];
  const local = join(cwd, 'configs', name);
  const user = join(configFolder, name);
  return [
    { path: local, required: false, read: () => readForeign(local, trust) },
    { path: user, required: false, read: () => readOwn(user) },
  ];
}

function readOwn(path: string): PlacedBytes {
  const bytes = readSmallFile(path);
  return bytes === null ? { state: 'absent' } : { state: 'used', bytes };
}

function readForeign(path: string, trust: TrustStore): PlacedBytes {
  const bytes = readSmallFile(path);
  if (bytes === null) return { state: 'absent' };
  const state = trust.stateOf(path, bytes);
  if (state === 'trusted') return { state: 'used', bytes };
  const why = state === 'changed' ? 'has changed since it was trusted' : 'is not trusted';
  return { state: 'ignored', why: `${path} ${why}: ignored; to accept it as it is now: ccp trust ${path}` };
}
