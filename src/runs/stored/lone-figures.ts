/** Figures that are kept of each run of a suite beside those of others, and have lost their run. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { runOfFigures, toldFolders } from '../report/write-reports.ts';
import { runsDir } from './find-run.ts';
import { readPlace } from './stored-runs.ts';

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
  /** Names of runs among the results that are about to go. */
  readonly going: ReadonlySet<string>;
  /** Epoch milliseconds: what was written since may belong to a run that is only ending. */
  readonly settledBefore: number;
}

/** Those of runs that go, and those whose run is stored nowhere any more, by name. */
export async function loneFigures({
  resultsDir,
  besides,
  going,
  settledBefore,
}: Searched): Promise<LoneFigures[]> {
  const stored = await storedRuns(resultsDir, going);
  const found: LoneFigures[] = [];
  for (const file of (await Promise.all(besides.map((folder) => filesIn(resultsDir, folder)))).flat()) {
    const run = runOfFigures(path.basename(file));
    if (run === null || stored.has(run)) continue;
    const { size: bytes, mtimeMs } = await stat(path.join(resultsDir, file));
    if (going.has(run) || mtimeMs < settledBefore) found.push({ file, bytes });
  }
  return found;
}

/** Among the results whatever lies in the folder of that name; elsewhere what `TESTS.md` tells of and is still there. */
async function storedRuns(resultsDir: string, going: ReadonlySet<string>): Promise<Set<string>> {
  const here = (await namesIn(runsDir(resultsDir))).filter((name) => !going.has(name));
  const folders = await toldFolders(resultsDir);
  const elsewhere = folders.filter((folder) => path.dirname(folder) !== runsDir(resultsDir));
  const places = await Promise.all(elsewhere.map(readPlace));
  return new Set([...here, ...places.flatMap((place) => place?.run ?? [])]);
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
