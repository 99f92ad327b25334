import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The version of this package, from its manifest: the same file whether run from source or from `dist`. */
export function packageVersion(): string {
  const path = findPackageJSON(import.meta.url);
  if (path === undefined) throw new Error('no package.json above this module');
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
  return version;
}
