/** The source that runs: which commit, what lies in it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Where this package lies. */
export function packageRoot(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error('no package.json above this module');
  return path.dirname(file);
}

/** Commit and state are null where the package is no checkout of its own, or git would not say. */
export const commitSchema = z.strictObject({
  commit: z.string().nullable(),
  dirty: z
    .boolean()
    .nullable()
    .describe('whether it differs from that commit, or holds files that git does not know'),
  unsaid: z
    .literal(true)
    .exactOptional()
    .describe('there is a checkout, and git, which could tell its commit, is missing or would not'),
});

export type Commit = z.infer<typeof commitSchema>;

const languageSchema = z.strictObject({ language: z.string(), files: z.int(), bytes: z.int() });

export const repositorySchema = z.strictObject({
  v: z.literal(1),
  ...commitSchema.shape,
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int(), language: z.string() })),
  languages: z.array(languageSchema).describe('the largest first'),
});

export type Repository = z.infer<typeof repositorySchema>;

export async function commitOf(root: string): Promise<Commit> {
  // One that it only lies in has its own above.
  if (!existsSync(path.join(root, '.git'))) return { commit: null, dirty: null };
  const [commit, status] = await Promise.all([
    git(root, 'rev-parse', 'HEAD'),
    git(root, 'status', '--porcelain'),
  ]);
  if (commit === null) return { commit: null, dirty: null, unsaid: true };
  return { commit: commit.trim(), dirty: status === null ? null : status !== '' };
}

/** Every file that belongs to the source, with its size in bytes, and how much there is of each language. */
export async function mapRepository(root: string): Promise<Repository> {
  const commit = await commitOf(root);
  const names = commit.commit === null ? await walk(root) : await tracked(root);
  const sized = names.map(async (name) => {
    const found = await lstat(path.join(root, name)).catch(() => null);
    return found === null ? [] : [{ path: name, bytes: found.size, language: languageOf(name) }];
  });
  const files = (await Promise.all(sized)).flat();
  const byLanguage = Map.groupBy(files, ({ language }) => language);
  const languages = [...byLanguage].map(([language, group]) => ({
    language,
    files: group.length,
    bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
  return {
    v: 1,
    ...commit,
    files,
    languages: languages.toSorted((a, b) => b.bytes - a.bytes || (a.language < b.language ? -1 : 1)),
  };
}

async function tracked(root: string): Promise<string[]> {
  const listed = (await git(root, 'ls-files', '-z')) ?? '';
  return listed.split('\0').filter(Boolean).toSorted(byCodePoint);
}

/** What is made or fetched is no source. */
const NO_SOURCE: ReadonlySet<string> = new Set(['node_modules', 'coverage', 'results', 'logs']);

async function walk(root: string, below = ''): Promise<string[]> {
  const entries = await readdir(path.join(root, below), { withFileTypes: true });
  const found = entries
    .filter(({ name }) => !name.startsWith('.') && !NO_SOURCE.has(name))
    .map(async (entry) => {
      const name = path.posix.join(below, entry.name);
      return entry.isDirectory() ? walk(root, name) : [name];
    });
  return (await Promise.all(found)).flat().toSorted(byCodePoint);
}

const byCodePoint = (a: string, b: string): number => (a < b ? -1 : 1);

const LANGUAGES: ReadonlyMap<string, string> = new Map([
  ['ts', 'TypeScript'],
  ['js', 'JavaScript'],
  ['mjs', 'JavaScript'],
  ['json', 'JSON'],
  ['jsonl', 'JSON'],
  ['md', 'Markdown'],
  ['yml', 'YAML'],
  ['yaml', 'YAML'],
  ['html', 'HTML'],
  ['css', 'CSS'],
  ['sh', 'Shell'],
  ['sse', 'recorded stream'],
  ['wat', 'WebAssembly text'],
]);

const languageOf = (name: string): string =>
  LANGUAGES.get(path.extname(name).slice(1).toLowerCase()) ?? 'other';

/**
 * What git prints; null where there is no git, or it says no. Its own settings stay out of it, and so does whose the
 * checkout is: by default git reads that of nobody else, lest its settings run what they name, and here we run all of it.
 */
async function git(root: string, ...args: readonly string[]): Promise<string | null> {
  return run('git', ['-c', `safe.directory=${root}`, '-C', root, ...args]);
}

/** What a program prints; null where it is not there or fails. It is given nothing of our environment but the way to it. */
export async function run(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      maxBuffer: 64 * 1024 ** 2,
      timeout: 10_000,
    });
    return stdout;
  } catch {
    return null;
  }
}
