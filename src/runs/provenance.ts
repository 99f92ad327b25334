import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { z } from 'zod';
import type { ClaudeLookup } from '../harness/types.ts';
import type { Provenance } from './run-record.ts';

/** What ran the run. */
export function provenanceOf(claude: ClaudeLookup): Provenance {
  return {
    version: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    claude: claude.found ? `found, from the ${claude.from}` : `not found: ${claude.reason}`,
  };
}

function packageVersion(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error('no package.json above this module');
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}
