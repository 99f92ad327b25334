import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The files of one log that are there, oldest first: its rotated copies, then `log` itself. Rejects where its folder can't be read. */
export async function rotatedFiles(log: string): Promise<string[]> {
  const folder = dirname(log);
  return rotatedSet(basename(log), await readdir(folder)).map((name) => join(folder, name));
}

/** The same out of names: `usage.jsonl.5` … `usage.jsonl.1`, then `usage.jsonl`. */
export function rotatedSet(log: string, names: Iterable<string>): string[] {
  const age = (name: string): number => {
    if (name === log) return 0;
    const suffix = name.startsWith(`${log}.`) ? name.slice(log.length + 1) : '';
    return /^[1-9]\d*$/.test(suffix) ? Number(suffix) : Number.NaN;
  };
  return [...names].filter((name) => !Number.isNaN(age(name))).toSorted((a, b) => age(b) - age(a));
}
