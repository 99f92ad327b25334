/** The runs that lie among the results, as far as their names and first words tell. */
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { runEventSchema } from '../run-events.ts';
import { runsDir } from './find-run.ts';

export interface RunPlace {
  /** Of its folder: `<utc>-<suite>`, with a number behind it where two began in one second. */
  readonly name: string;
  /** By which its own reports call it: without the number, and whatever its folder is called. */
  readonly run: string;
  /** Absolute. */
  readonly folder: string;
  readonly suite: string;
  /** From which its made-up credentials come. */
  readonly seed: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** All runs, the oldest first. A folder without a readable beginning is none. */
export async function listRuns(resultsDir: string): Promise<RunPlace[]> {
  const dir = runsDir(resultsDir);
  const names = await namesIn(dir);
  const places = await Promise.all(names.map(async (name) => readPlace(path.join(dir, name))));
  return places
    .filter((place) => place !== null)
    .toSorted((a, b) => a.startedAt - b.startedAt || (a.name < b.name ? -1 : 1));
}

/**
 * Runs of which not even the beginning can be read, by what their names say, where none of `runs` is a newer one of the
 * suite: an older one may not take its place without a word.
 */
export async function headlessAmong(
  resultsDir: string,
  runs: readonly RunPlace[],
): Promise<{ readonly run: string; readonly suite: string }[]> {
  const dir = runsDir(resultsDir);
  const named = (await namesIn(dir))
    .filter((name) => !runs.some((run) => run.name === name))
    .map((run) => ({ run, suite: /^\d{8}T\d{6}Z-(.+?)(?:-\d+)?$/.exec(run)?.[1] ?? '' }))
    .filter(({ run, suite }) => suite !== '' && !runs.some((one) => one.suite === suite && one.name > run));
  const sized = named.map(async (one) => {
    const found = await stat(path.join(dir, one.run, 'events.jsonl')).catch(() => null);
    // One that died before its first word says nothing.
    return (found?.size ?? 0) > 0 ? [one] : [];
  });
  return (await Promise.all(sized)).flat();
}

/** A name of another form would be no path in a bundle. */
async function namesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.flatMap((entry) => (entry.isDirectory() && NAME.test(entry.name) ? [entry.name] : []));
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/;

/** The newest run of each suite, whatever became of it; the oldest first. */
export function newestOfEach(runs: readonly RunPlace[]): RunPlace[] {
  const newest = new Map(runs.map((run) => [run.suite, run]));
  return runs.filter((run) => newest.get(run.suite) === run);
}

/** The run in a folder; null where there is none, or no readable beginning of one. */
export async function readPlace(folder: string): Promise<RunPlace | null> {
  const line = await firstLine(path.join(folder, 'events.jsonl'));
  const first = runEventSchema.safeParse(line);
  if (!first.success || first.data.type !== 'run_started') return null;
  const { plan, at } = first.data;
  const { run, suite, seed } = plan;
  return { name: path.basename(folder), run, folder, suite, seed, startedAt: at };
}

/** A run of hours has events by the megabyte, of which the first is a few kilobytes. */
async function firstLine(file: string): Promise<unknown> {
  try {
    await using handle = await open(file);
    for await (const line of handle.readLines()) return JSON.parse(line);
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** When anything of a run was last written, epoch milliseconds. */
export async function lastTouched(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const times = entries.map(async (entry) => {
    const found = await stat(path.join(entry.parentPath, entry.name)).catch(() => null);
    return found?.mtimeMs ?? 0;
  });
  return Math.max(...(await Promise.all(times)), 0);
}
