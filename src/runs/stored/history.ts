/** What stored runs of a suite said, the newest first. */
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../../platform/files.ts';
import { toldFolders } from '../report/write-reports.ts';
import { type RunRecord, runRecordSchema } from '../run-record.ts';
import { runsCalled, runsDir } from './find-run.ts';
import { readPlace } from './stored-runs.ts';

export interface PastRun {
  /** Absolute. */
  readonly folder: string;
  /** Null where the run died before it was judged, or this program cannot read what it wrote. */
  readonly record: RunRecord | null;
}

/** What was longer ago says little of today, and costs time to read. */
const MOST_RUNS = 50;

/** At most 50 of those among the results, each read when it is asked for. */
export async function* pastRuns(resultsDir: string, suite: string): AsyncGenerator<PastRun> {
  let runs = 0;
  for await (const folder of runsCalled(resultsDir, suite)) {
    const record = await recordIn(folder);
    if (record !== null && record.suite !== suite) continue;
    yield { folder, record };
    runs += 1;
    if (runs === MOST_RUNS) return;
  }
}

/**
 * Every run of a suite that is known of, in no order: among the results, where `TESTS.md` says that runs were stored, and
 * beside `folder` (absolute), for those of a `--run-dir`. A place that may not be looked at has none.
 */
export async function* everyRun(
  resultsDir: string,
  { suite, folder }: { readonly suite: string; readonly folder: string },
): AsyncGenerator<{ readonly folder: string; readonly record: RunRecord }> {
  const called = await ifOpen(foldersCalled(resultsDir, suite));
  const others = [...(await ifOpen(toldFolders(resultsDir))), ...(await ifOpen(besides(folder, resultsDir)))];
  for (const place of new Set([...called, ...others])) {
    if (place === folder) continue;
    // Names tell the suite among the results; a record is long, and that of another suite is not read for it.
    if (!called.includes(place) && !(await isOf(suite, place))) continue;
    const record = await recordIn(place);
    if (record?.suite === suite) yield { folder: place, record };
  }
}

async function foldersCalled(resultsDir: string, suite: string): Promise<string[]> {
  const folders: string[] = [];
  for await (const folder of runsCalled(resultsDir, suite)) folders.push(folder);
  return folders;
}

/** Those of the same owner: what a stranger lays into a shared folder is no run of ours. None for a run among the results. */
async function besides(folder: string, resultsDir: string): Promise<string[]> {
  const parent = path.dirname(folder);
  if (parent === runsDir(resultsDir)) return [];
  const [{ uid }, entries] = await Promise.all([stat(folder), readdir(parent, { withFileTypes: true })]);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(parent, name));
  const owned = folders.map(async (one) => ((await ownerOf(one)) === uid ? [one] : []));
  return (await Promise.all(owned)).flat();
}

/** Undefined where it went meanwhile, or nobody may know. */
const ownerOf = (folder: string): Promise<number | undefined> =>
  lstat(folder).then(
    ({ uid }) => uid,
    () => undefined,
  );

const isOf = (suite: string, folder: string): Promise<boolean> =>
  readPlace(folder).then(
    (place) => place?.suite === suite,
    () => false,
  );

/** A run of hours is not to lose its verdict for a folder that its user may not list. */
async function ifOpen<T>(list: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await list;
  } catch (error) {
    if (['EACCES', 'EPERM', 'ENOENT'].some((code) => hasCode(error, code))) return [];
    throw error;
  }
}

/** Null where there is none, or none that this program can read. */
export async function recordIn(folder: string): Promise<RunRecord | null> {
  try {
    return runRecordSchema.parse(JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')));
  } catch {
    return null;
  }
}
