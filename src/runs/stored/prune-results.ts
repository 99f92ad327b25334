/**
 * Removes old runs, and figures that have lost their run. The newest of each suite stays whatever happens, and so does one that
 * may still be written.
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { endIn } from '../run-end.ts';
import { recordIn } from './history.ts';
import { type LoneFigures, loneFigures } from './lone-figures.ts';
import { readEvents } from './run-folder.ts';
import { lastTouched, listRuns, newestOfEach, type RunPlace } from './stored-runs.ts';
import { isUnderWay } from './under-way.ts';

export interface PruneOptions {
  readonly resultsDir: string;
  /** Folders in it where figures of each run of a suite are kept beside those of others; they stay as long as their run. */
  readonly besides: readonly string[];
  /** How many of each suite stay; at least one. */
  readonly keep: number;
  /** Says what it would do, and does nothing. */
  readonly dryRun: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Pruned {
  readonly removed: readonly { readonly run: string; readonly bytes: number }[];
  /** Kept beside those of others, of runs that are removed here or are stored nowhere any more. */
  readonly figures: readonly LoneFigures[];
  /** Of runs and figures. */
  readonly bytes: number;
  /** Runs that are older than those that stay, and stay too. */
  readonly spared: readonly { readonly run: string; readonly why: string }[];
  readonly kept: number;
}

/** A run without an end that was silent for so long has died: no suite waits for half as long. */
const SILENT_MS = 24 * 3_600_000;

export async function pruneResults({
  resultsDir,
  besides,
  keep,
  dryRun,
  now,
}: PruneOptions): Promise<Pruned> {
  const runs = await listRuns(resultsDir);
  const newest = new Set(newestOfEach(runs));
  const bySuite = Map.groupBy(runs, ({ suite }) => suite);
  const old = [...bySuite.values()].flatMap((group) => group.slice(0, Math.max(0, group.length - keep)));
  const gone = new Set<RunPlace>();
  const removed: { run: string; bytes: number }[] = [];
  const spared: { run: string; why: string }[] = [];
  const contradicted = await contradictedBy(runs.filter((run) => newest.has(run) || !old.includes(run)));
  for (const run of old.filter((one) => !newest.has(one))) {
    const why = contradicted.has(run.folder)
      ? 'says otherwise than a newer run that stays: a check changed its mind'
      : await whySpared(run, now);
    if (why !== null) {
      spared.push({ run: run.name, why });
      continue;
    }
    gone.add(run);
    removed.push({ run: run.name, bytes: await sizeOf(run.folder) });
    if (!dryRun) await rm(run.folder, { recursive: true });
  }
  const staying = runs.filter((run) => !gone.has(run));
  const settledBefore = now - SILENT_MS;
  const figures = await loneFigures({ resultsDir, besides, going: [...gone], staying, settledBefore });
  if (!dryRun) for (const { file } of figures) await rm(path.join(resultsDir, file));
  const bytes = [...removed, ...figures].reduce((sum, one) => sum + one.bytes, 0);
  return { removed, figures, bytes, spared, kept: staying.length };
}

async function whySpared({ folder }: RunPlace, now: number): Promise<string | null> {
  if (await isUnderWay(folder)) return 'still goes on';
  // One that is damaged says nothing of its end.
  const events = await readEvents(folder).catch(() => []);
  const isNight = events.some(
    (event) => event.type === 'run_started' && event.plan.driver?.kind === 'overnight',
  );
  const end = endIn(events);
  // A night that was interrupted can be resumed.
  const ended = end !== undefined && !(isNight && end.type === 'interrupted');
  const mayGoOn = !ended && now - (await lastTouched(folder)) < SILENT_MS;
  return mayGoOn ? 'has not ended, and was written to within a day' : null;
}

/** The folders of runs that checks of these were found to contradict. To tidy up is not to have looked into it. */
async function contradictedBy(staying: readonly RunPlace[]): Promise<Set<string>> {
  const named = staying.map(async ({ folder }) =>
    ((await recordIn(folder))?.flaky ?? []).map((flake) => path.resolve(folder, flake.folder)),
  );
  return new Set((await Promise.all(named)).flat());
}

/** Of all files below a folder, in bytes. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await lstat(path.join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
