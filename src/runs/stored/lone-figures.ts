/** Figures that are kept of each run of a suite beside those of others, and have lost their run. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { runOfFigures, toldFolders } from '../report/write-reports.ts';
import { runsDir } from './find-run.ts';
import { type RunPlace, readPlace } from './stored-runs.ts';

export interface LoneFigures {
  /** Below the results, such as `overnight/METRICS_<run>.json`. */
  readonly file: string;
  readonly bytes: number;
}

interface Searched {
  /** Absolute. */
  readonly resultsDir: string;
  /** Folders in it where there are such figures, and nothing else is looked at. */
  readonly besides: readonly string[];
  /** Runs among the results that are about to go, and all others. */
  readonly going: readonly RunPlace[];
  readonly staying: readonly RunPlace[];
  /** Epoch milliseconds: what was written since may belong to a run that is only ending. */
  readonly settledBefore: number;
}

/** Those of runs that go, and those whose run is stored nowhere any more, by what it is called in its reports. */
export async function loneFigures({
  resultsDir,
  besides,
  going,
  staying,
  settledBefore,
}: Searched): Promise<LoneFigures[]> {
  const stored = await storedRuns({ resultsDir, going, staying });
  const removed = new Set(going.map((place) => place.run));
  const found: LoneFigures[] = [];
  for (const file of (await Promise.all(besides.map((folder) => filesIn(resultsDir, folder)))).flat()) {
    const run = runOfFigures(path.basename(file));
    if (run === null || stored.has(run)) continue;
    const { size: bytes, mtimeMs } = await stat(path.join(resultsDir, file));
    if (removed.has(run) || mtimeMs < settledBefore) found.push({ file, bytes });
  }
  return found;
}

/**
 * Among the results what stays, and whatever lies in the folder of that name, be it readable or not; elsewhere what
 * `TESTS.md` tells of and is still there.
 */
async function storedRuns({
  resultsDir,
  going,
  staying,
}: Pick<Searched, 'resultsDir' | 'going' | 'staying'>): Promise<Set<string>> {
  const leaving = new Set(going.map(({ name }) => name));
  const here = (await namesIn(runsDir(resultsDir))).filter((name) => !leaving.has(name));
  const folders = await toldFolders(resultsDir);
  const elsewhere = folders.filter((folder) => path.dirname(folder) !== runsDir(resultsDir));
  const places = await Promise.all(elsewhere.map(readPlace));
  return new Set([...here, ...staying.map(({ run }) => run), ...places.flatMap((place) => place?.run ?? [])]);
}

const filesIn = async (resultsDir: string, folder: string): Promise<string[]> =>
  (await namesIn(path.join(resultsDir, folder))).map((name) => path.join(folder, name));

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.toSorted((a, b) => (a < b ? -1 : 1));
}
