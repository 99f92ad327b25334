/**
 * Finds the Claude Code to test with. Its package is a launcher that an install script replaces by the
 * binary; without install scripts the binary lies where the platform's package put it, and is run from there.
 */
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { ClaudeLookup } from '../types/client.ts';

export interface ClaudeSearch {
  /** Where modules are resolved from; default: this file. */
  readonly from?: string | URL;
  /** The PATH to search when no package is installed; default: that of this process. */
  readonly searchPath?: string;
}

/** Looks for the binary of this platform's package first, then for `claude` on the PATH. */
export function findClaude({
  from = import.meta.url,
  searchPath = process.env.PATH ?? '',
}: ClaudeSearch = {}): ClaudeLookup {
  const packaged = platformPackages().flatMap((name) => binaryIn(name, from));
  if (packaged[0] !== undefined) return { found: true, path: packaged[0], from: 'package' };
  const onPath = searchPath
    .split(path.delimiter)
    // The project's own launcher says only that its binary is missing.
    .filter((folder) => folder !== '' && !folder.endsWith(path.join('node_modules', '.bin')))
    .map((folder) => path.join(folder, executable('claude')))
    .find(isExecutable);
  if (onPath !== undefined) return { found: true, path: onPath, from: 'path' };
  return {
    found: false,
    reason: `no package ${platformPackages().join(' or ')} is installed and no claude is on the PATH`,
  };
}

/** npm installs the one that fits the machine's C library. */
function platformPackages(): readonly string[] {
  const base = `@anthropic-ai/claude-code-${process.platform}-${process.arch}`;
  return process.platform === 'linux' ? [base, `${base}-musl`] : [base];
}

function binaryIn(name: string, from: string | URL): readonly string[] {
  try {
    const manifest = createRequire(from).resolve(`${name}/package.json`);
    const binary = path.join(path.dirname(manifest), executable('claude'));
    return isExecutable(binary) ? [binary] : [];
  } catch {
    return [];
  }
}

const executable = (name: string) => (process.platform === 'win32' ? `${name}.exe` : name);

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
