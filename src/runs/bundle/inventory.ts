/** What lies in a bundle, in the two forms that it is written down: ours, and that of `sha256sum`. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Manifest } from './documents.ts';
import { byPath, isDocument, MANIFEST, roleOf, SCHEMA_VERSION } from './layout.ts';

/** A file as its bytes are. */
export interface Hashed {
  readonly bytes: number;
  readonly sha256: string;
}

export const hashOf = (content: Uint8Array): Hashed => ({
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
});

/** SHA-256 of a file of any size. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

export function manifestOf(bundle: string, files: ReadonlyMap<string, Hashed>): Manifest {
  return {
    v: SCHEMA_VERSION,
    bundle,
    files: [...files]
      .toSorted(([a], [b]) => byPath(a, b))
      .map(([path, { bytes, sha256 }]) => {
        const role = roleOf(path);
        if (role === null) throw new TypeError(`${path} has no place in a bundle`);
        return { path, bytes, sha256, role, schema: isDocument(path) ? SCHEMA_VERSION : null };
      }),
  };
}

/** `SHA256SUMS`: the manifest, and all that is in it. */
export function sumsOf({ files }: Manifest, manifest: Hashed): string {
  return [...files, { path: MANIFEST, ...manifest }]
    .toSorted((a, b) => byPath(a.path, b.path))
    .map(({ path, sha256 }) => `${sha256}  ${path}\n`)
    .join('');
}
