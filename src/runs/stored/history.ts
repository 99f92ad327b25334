/** What stored runs of a suite said, the newest first. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { toldFolders } from '../report/write-reports.ts';
import { type RunRecord, runRecordSchema } from '../run-record.ts';
import { runsCalled } from './find-run.ts';

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
 * beside `folder` (absolute), for those of a `--run-dir`.
 */
export async function* everyRun(
  resultsDir: string,
  { suite, folder }: { readonly suite: string; readonly folder: string },
): AsyncGenerator<{ readonly folder: string; readonly record: RunRecord }> {
  const places = new Set([...(await toldFolders(resultsDir)), ...(await foldersIn(path.dirname(folder)))]);
  for await (const place of runsCalled(resultsDir, suite)) places.add(place);
  places.delete(folder);
  for (const place of places) {
    const record = await recordIn(place);
    if (record?.suite === suite) yield { folder: place, record };
  }
}

async function foldersIn(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(parent, name));
}

/** Null where there is none, or none that this program can read. */
export async function recordIn(folder: string): Promise<RunRecord | null> {
  try {
    return runRecordSchema.parse(JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')));
  } catch {
    return null;
  }
}
