import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { release, type } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { ClaudeLookup } from '../harness/types.ts';
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
export function provenanceOf(claude: ClaudeLookup): Provenance {
  return {
    version: packageVersion(),
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
    const file = findPackageJSON(binary);
    return file?.includes('claude-code') === true ? manifestIn(path.dirname(file)).version : null;
  } catch {
    return null;
  }
}
