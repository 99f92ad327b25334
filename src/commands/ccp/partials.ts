import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { plural } from '../../analysis/plural.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import { load } from './load.ts';

interface Partial {
  readonly rid: string;
  readonly path: string;
  readonly bytes: number;
  /** RFC 3339. */
  readonly written: string;
}

const SUFFIX = '.partial';

/** `ccp partials [list]`. */
export function listPartials(host: Host, { json }: { readonly json: boolean }): number {
  const { folder, partials } = find(host);
  if (json) printJson(host, { folder, partials });
  else if (partials.length === 0) host.out.write(`No partials in ${folder}.\n`);
  else {
    const rows = partials.map(({ rid, bytes, written }) => [rid, String(bytes), written]);
    host.out.write(table(host.out, ['rid', 'bytes', 'written'], rows));
    host.out.write(`In ${folder}; "ccp partials clean" deletes them.\n`);
  }
  return EXIT.ok;
}

/** `ccp partials clean`. */
export function cleanPartials(host: Host, { json }: { readonly json: boolean }): number {
  const { folder, partials } = find(host);
  for (const { path } of partials) rmSync(path, { force: true });
  if (json) printJson(host, { folder, deleted: partials.map(({ rid }) => rid) });
  else host.out.write(`Deleted ${plural(partials.length, 'partial')} from ${folder}.\n`);
  return EXIT.ok;
}

function find(host: Host): { folder: string; partials: readonly Partial[] } {
  const folder = join(load(host).settings.logsDir, 'partials');
  const partials = namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    return {
      rid: name.slice(0, -SUFFIX.length),
      path,
      bytes: stats.size,
      written: stats.mtime.toISOString(),
    };
  });
  return { folder, partials: partials.toSorted((a, b) => b.written.localeCompare(a.written)) };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIX))
      .map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
