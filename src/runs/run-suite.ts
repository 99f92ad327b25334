/** One run from plan to reports. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../analysis/check.ts';
import { EXIT, OperatorError } from '../errors.ts';
import { type ExecuteOptions, type Execution, execute } from './execute.ts';
import { findFlakes } from './flakes.ts';
import { recordOf } from './judge.ts';
import { isOfMock, limitReport, saysOfWindow } from './report/limit-report.ts';
import { writeMetrics } from './report/metrics.ts';
import { nightReport } from './report/night-report.ts';
import { type Places, publish, writeReports } from './report/write-reports.ts';
import type { RunRecord } from './run-record.ts';
import { createRunFolder, openRunFolder, type RunFolder } from './stored/run-folder.ts';
import { readStoredRun, type StoredRun } from './stored/stored-run.ts';
import { markUnderWay } from './stored/under-way.ts';
import type { Suite } from './suite.ts';

export interface FinishedRun {
  readonly record: RunRecord;
  /** Absolute. */
  readonly folder: string;
  /** Why nothing outside its folder was written but its line in the history, where that is so; a sentence without its stop. */
  readonly unshown?: string;
  /** What broke it, where its surroundings did. */
  readonly cause?: unknown;
}

export interface RunSuiteOptions extends Omit<ExecuteOptions, 'folder'> {
  /** Absolute; must be new or empty. */
  readonly folder: string;
  readonly suite: Suite;
  readonly checks: readonly Check[];
  readonly places: Places;
  /**
   * Of what is no program of this package only runs since then are compared with this one: it may have been another before.
   * Epoch milliseconds; default: none are.
   */
  readonly since?: number;
  /** Runs that go on at the same time are held against each other, and published, one by one; default: there is only one. */
  readonly inTurn?: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * Carries the plan out, judges what was stored, writes the reports; also of a run that was interrupted or
 * broken.
 */
export async function runSuite(options: RunSuiteOptions): Promise<FinishedRun> {
  const { resumes, inTurn = (work) => work() } = options;
  const folder =
    resumes === undefined ? await createRunFolder(options.folder) : openRunFolder(options.folder);
  await using _ = await markUnderWay(folder.path);
  const execution = await execute({ ...options, folder });
  await writeMetrics(folder);
  const concluded = await inTurn(() => conclude(folder, execution, options));
  return {
    ...concluded,
    folder: folder.path,
    ...(execution.ending === 'broken' && { cause: execution.cause }),
  };
}

/** Judges what was stored, holds it against the runs before, and writes and publishes the reports. */
async function conclude(
  folder: RunFolder,
  execution: Execution,
  { suite, checks, places, clock, since = Number.POSITIVE_INFINITY }: RunSuiteOptions,
): Promise<Pick<FinishedRun, 'record' | 'unshown'>> {
  const stored = await readStoredRun(folder.path);
  const judged = recordOf(stored, checks, brokenCode(execution));
  const flaky = await findFlakes(judged, { folder: folder.path, resultsDir: places.resultsDir, since });
  for (const flake of flaky) folder.append({ type: 'flaky', at: clock.now(), ...flake });
  const record = flaky.length === 0 ? judged : recordOf({ ...stored, flaky }, checks, brokenCode(execution));
  await writeReports(folder, { record, stored: { ...stored, flaky } });
  const night = nightReport(stored);
  if (night !== undefined) await folder.write('NIGHT.json', night);
  const { report } = suite.artifacts;
  const { driver } = stored.plan;
  if (report !== undefined && driver?.kind === 'limits')
    await folder.write(report, limitReport(stored, driver));
  const resumed = stored.events.some(({ type }) => type === 'resumed');
  const unshown = await whyUnshown(stored, suite, places);
  await publish({ folder, record, resumed, suite, places, takesPlace: unshown === undefined });
  return { record, ...(unshown !== undefined && { unshown }) };
}

/**
 * A limit may have cost its finder real quota: what stands where operators look is replaced only by a run that says
 * something of the window, and that of a real provider, or of another program, by that of a real one alone.
 */
async function whyUnshown(
  stored: StoredRun,
  { artifacts: { report } }: Suite,
  { resultsDir }: Places,
): Promise<string | undefined> {
  const { driver, upstream } = stored.plan;
  if (report === undefined || driver?.kind !== 'limits') return undefined;
  if (!saysOfWindow(stored, driver))
    return `this run says nothing of the window, so ${report} was written into its own folder alone`;
  const there = upstream === 'real' ? null : await readIfThere(path.join(resultsDir, report));
  return there === null || isOfMock(there)
    ? undefined
    : `${report} was written into the folder of the run alone: the one in ${resultsDir} is not of a mock`;
}

async function readIfThere(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

function brokenCode(execution: Execution): number {
  if (execution.ending !== 'broken') return EXIT.failed;
  return execution.cause instanceof OperatorError ? execution.cause.exitCode : EXIT.failed;
}
