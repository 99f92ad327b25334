/** The bundle that an operator means: one file, named by hand. */
import { existsSync, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { OperatorError } from '../../errors.ts';
import type { Host } from '../shared/host.ts';

/** Where a person looks for what they want to hand on. */
export function usualPlace({ home }: Pick<Host, 'home'>, resultsDir: string): string {
  const downloads = join(home, 'Downloads');
  return existsSync(downloads) ? downloads : join(resultsDir, 'bundles');
}

/** A file as the reader would type it. */
export function shownFrom(cwd: string, file: string): string {
  const below = relative(cwd, file);
  return below.startsWith('..') ? file : below;
}

/**
 * The absolute name of the file that was typed. Throws USAGE where nothing was, which it says as `unnamed`, or it is no
 * file, with a bundle that may be meant.
 */
export async function bundleFile(
  host: Pick<Host, 'cwd' | 'home'>,
  typed: string | undefined,
  resultsDir: string,
  unnamed = 'no bundle is named',
): Promise<string> {
  const usual = usualPlace(host, resultsDir);
  const file = typed === undefined ? null : resolve(host.cwd, typed);
  const found = file === null ? null : await stat(file).catch(() => null);
  if (file !== null && found?.isFile() === true) return file;
  const near = await nearest(file, usual);
  throw new OperatorError('USAGE', file === null ? unnamed : `${file} ${problem(found)}`, {
    hint: `Name the .tgz that "ccp-uat bundle" made${
      near === null
        ? `; it puts it into ${shownFrom(host.cwd, usual)}, or where --out says.`
        : `: ${shownFrom(host.cwd, near)}`
    }`,
  });
}

function problem(found: Stats | null): string {
  if (found === null) return 'is not there';
  return found.isDirectory() ? 'is a folder, and a bundle is one file' : 'is no file';
}

/** What was typed may be its name but for the end, the folder beside it, or the folder that it lies in; else the newest where bundles lie. */
async function nearest(file: string | null, usual: string): Promise<string | null> {
  if (file !== null && existsSync(`${file}.tgz`)) return `${file}.tgz`;
  for (const folder of [...(file === null ? [] : [file, dirname(file)]), usual]) {
    const names = await readdir(folder).catch(() => []);
    const newest = names
      .filter((name) => BUNDLE.test(name))
      .toSorted()
      .at(-1);
    if (newest !== undefined) return join(folder, newest);
  }
  return null;
}

const BUNDLE = /^ccp-review-.*\.tgz$/;
