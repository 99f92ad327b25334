import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { release, type } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { ClaudeLookup } from '../harness/types/client.ts';
import { commitOf, packageRoot, run } from './repository.ts';
import type { Provenance } from './run-record.ts';

/** How a run was asked for. */
export interface Invocation {
  /** Without the name of the program, and without the paths of the machine. */
  readonly argv: readonly string[];
  /** Those variables that may be told. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What ran the run. */
function provenanceOf(claude: ClaudeLookup): Provenance {
  return {
    version: packageVersion(),
    source: sourceHash(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    claude: claude.found ? `found, from the ${claude.from}` : `not found: ${claude.reason}`,
  };
}

/** What stood around it, too. A program that is not there, or does not say what it is, is null. */
export async function fullProvenanceOf(claude: ClaudeLookup, asked: Invocation): Promise<Provenance> {
  const [curl, commit] = await Promise.all([run('curl', ['--version']), commitOf(packageRoot())]);
  return {
    ...provenanceOf(claude),
    surroundings: {
      os: `${type()} ${release()}`,
      curl: /^curl (\S+)/.exec(curl ?? '')?.[1] ?? null,
      claude: claude.found ? versionIn(claude.path) : null,
      libraries: libraries(),
      ...commit,
      argv: [...asked.argv],
      environment: { ...asked.environment },
    },
  };
}

export const packageVersion = (): string => manifestIn(packageRoot()).version;

const manifestSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
});

function manifestIn(folder: string): z.infer<typeof manifestSchema> {
  return manifestSchema.parse(JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')));
}

/** Those that run with us, each with the version that is pinned. */
const libraries = (): Record<string, string> => manifestIn(packageRoot()).dependencies;

/** The version of the package that a binary lies in. */
function versionIn(binary: string): string | null {
  try {
    // A command is a link into the package.
    const file = findPackageJSON(pathToFileURL(realpathSync(binary)));
    return file?.includes('claude-code') === true ? manifestIn(path.dirname(file)).version : null;
  } catch {
    return null;
  }
}

/** What a run depends on: the programs as source or as built, what they are told and read, and their libraries. */
const PROGRAM = ['bin', 'dist', 'src', 'suites', 'fixtures', 'package.json', 'package-lock.json'];

/** SHA-256 over the files of the package that a run depends on, names included: another one, other programs. Tests are none of them. */
export function sourceHash(root: string = packageRoot()): string {
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
