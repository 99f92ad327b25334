import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { z } from 'zod';
import type { ClaudeLookup } from '../harness/types.ts';
import type { Provenance } from './run-record.ts';

/** What ran the run. */
export function provenanceOf(claude: ClaudeLookup): Provenance {
  return {
    version: packageVersion(),
    source: sourceHash(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    claude: claude.found ? `found, from the ${claude.from}` : `not found: ${claude.reason}`,
  };
}

function packageVersion(): string {
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest(), 'utf8'))).version;
}

function manifest(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error('no package.json above this module');
  return file;
}

/** What a run depends on: the programs as source or as built, what they are told and read, and their libraries. */
const PROGRAM = ['bin', 'dist', 'src', 'suites', 'fixtures', 'package.json', 'package-lock.json'];

/** SHA-256 over the files of the package that a run depends on, names included: another one, other programs. Tests are none of them. */
export function sourceHash(root: string = path.dirname(manifest())): string {
  const hash = createHash('sha256');
  for (const file of PROGRAM.flatMap((name) => filesIn(root, name))) {
    const text = readFileSync(path.join(root, file));
    hash.update(`${file}\0${text.length}\0`).update(text);
  }
  return hash.digest('hex');
}

function filesIn(root: string, name: string): string[] {
  const entries = readdirSync(root, { withFileTypes: true });
  const entry = entries.find((one) => one.name === name);
  if (entry?.isDirectory() !== true) return entry === undefined ? [] : [name];
  return readdirSync(path.join(root, name), { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => path.relative(root, path.join(one.parentPath, one.name)))
    .filter((file) => !/\.test\.[jt]s$|(^|\/)testing\//.test(file))
    .toSorted();
}
