/** Where runs are kept, and which one is meant. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { OperatorError } from '../../errors.ts';
import { makeFolder, SHARED } from '../../platform/files.ts';

export const runsDir = (resultsDir: string): string => path.join(resultsDir, 'runs');

/** Makes the folder of a new run: its own name, or that with a number where two began in one second. */
export async function claimRunDir(resultsDir: string, run: string): Promise<string> {
  makeFolder(runsDir(resultsDir), SHARED);
  for (let number = 1; ; number += 1) {
    const folder = path.join(runsDir(resultsDir), number === 1 ? run : `${run}-${number}`);
    // Making it is the claim: of two runs that begin together, one finds it taken.
    if (await made(folder)) return folder;
  }
}

async function made(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * The folder of a run: `given` as a path, else the newest of that name, or of that suite, below the results;
 * without it, the newest of all. Throws USAGE where there is none, with the command of ccp-uat that keeps one.
 */
export async function findRun(
  resultsDir: string,
  cwd: string,
  given?: string,
  command = 'run SUITE',
): Promise<string> {
  if (given !== undefined && (await isRun(path.resolve(cwd, given)))) return path.resolve(cwd, given);
  for await (const folder of runsCalled(resultsDir, given)) return folder;
  const what = given === undefined ? 'no run is stored' : `no run ${given} is stored`;
  throw new OperatorError('USAGE', `${what} in ${runsDir(resultsDir)}`, {
    hint: `Runs are kept by "ccp-uat ${command}", in CCP_RESULTS_DIR.`,
  });
}

/** The folders of the runs of that name or suite, or of all, the newest first. */
export async function* runsCalled(resultsDir: string, given?: string): AsyncGenerator<string> {
  const names = await namesIn(runsDir(resultsDir));
  for (const name of names.toReversed()) {
    const folder = path.join(runsDir(resultsDir), name);
    if ((given === undefined || isCalled(name, given)) && (await isRun(folder))) yield folder;
  }
}

/** A name is `<utc>-<suite>`, with a number behind it where two runs began in one second. */
function isCalled(name: string, given: string): boolean {
  const suite = name.slice(name.indexOf('-') + 1);
  return [name, suite, suite.replace(/-\d+$/, '')].includes(given);
}

/** Names begin with the time, so their order is that of the runs; numbers count as such, so `-10` follows `-9`. */
async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.toSorted(new Intl.Collator('en', { numeric: true }).compare);
}

const isRun = (folder: string): Promise<boolean> =>
  stat(path.join(folder, 'events.jsonl')).then(
    (found) => found.isFile(),
    () => false,
  );
