/** Which provider catalogs count: one that was named, else the working directory's and the user's. */
import { join } from 'node:path';
import type { CatalogFile } from '../features/routing/catalog-file.ts';
import { readSmallFile } from './read-small-file.ts';
import type { TrustStore } from './trust.ts';

export interface CatalogPlaces {
  /** Named by a flag or a trusted setting: then it is the only one, and must be there. */
  readonly named: string | null;
  readonly cwd: string;
  readonly configFolder: string;
  readonly trust: TrustStore;
}

/**
 * In order of precedence. The one in the working directory counts only while it is trusted: whatever a
 * catalog says, it moves prompts or keys to another host.
 */
export function catalogFiles({ named, cwd, configFolder, trust }: CatalogPlaces): readonly CatalogFile[] {
  if (named !== null) return [{ path: named, required: true, read: () => readOwn(named) }];
  const local = join(cwd, 'configs', 'providers.yaml');
  const user = join(configFolder, 'providers.yaml');
  return [
    { path: local, required: false, read: () => readForeign(local, trust) },
    { path: user, required: false, read: () => readOwn(user) },
  ];
}

function readOwn(path: string): ReturnType<CatalogFile['read']> {
  const bytes = readSmallFile(path);
  return bytes === null ? { state: 'absent' } : { state: 'used', text: bytes.toString('utf8') };
}

function readForeign(path: string, trust: TrustStore): ReturnType<CatalogFile['read']> {
  const bytes = readSmallFile(path);
  if (bytes === null) return { state: 'absent' };
  const state = trust.stateOf(path, bytes);
  if (state === 'trusted') return { state: 'used', text: bytes.toString('utf8') };
  const why = state === 'changed' ? 'has changed since it was trusted' : 'is not trusted';
  return { state: 'ignored', why: `${path} ${why}: ignored; to accept it as it is now: ccp trust ${path}` };
}
