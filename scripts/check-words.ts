/**
 * No tracked file tells where it was written: paths of a developer's machine, addresses of the package
 * registry that happened to be used. The home folder of examples is that of `me`. Nor has a heading been wrapped into one
 * with the paragraph below it. Prints what it finds with file and line, and exits 1.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: "a path of somebody's machine",
    pattern: /(?<![\w.)}])\/(?:(?:home|Users)\/(?!me\b)[a-z]|root\/)/,
  },
  { what: 'an address of a package registry', pattern: /registry\.(?:npmjs|yarnpkg)\.|"resolved": "https?:/ },
  // Not of the first level: a comment in an example of the shell looks like that.
  { what: 'a heading longer than 90 characters', pattern: /^#{2,6} .{91}/ },
];

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** Searches the files that git tracks under `root`. Throws where there are none: silence would prove nothing. */
export function findWords(root: string): Finding[] {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter(Boolean);
  if (files.length === 0) throw new Error(`git tracks no file under ${root}`);
  return files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((text, index) =>
        FORBIDDEN.filter(({ pattern }) => pattern.test(text)).map(({ what }) => ({
          file,
          line: index + 1,
          what,
        })),
      ),
  );
}

function main(root: string): number {
  const findings = findWords(root);
  for (const { file, line, what } of findings) process.stdout.write(`${file}:${line}: ${what}\n`);
  return findings.length === 0 ? 0 : 1;
}

if (import.meta.main)
  process.exitCode = main(resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))));
