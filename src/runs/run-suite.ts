/** One run from plan to reports. */
import type { Check } from '../analysis/check.ts';
import { EXIT, OperatorError } from '../errors.ts';
import { type ExecuteOptions, type Execution, execute } from './execute.ts';
import { recordOf } from './judge.ts';
import { limitReport } from './report/limit-report.ts';
import { writeMetrics } from './report/metrics.ts';
import { nightReport } from './report/night-report.ts';
import { type Places, publish, writeReports } from './report/write-reports.ts';
import { createRunFolder, openRunFolder } from './run-folder.ts';
import type { RunRecord } from './run-record.ts';
import { readStoredRun } from './stored-run.ts';
import type { Suite } from './suite.ts';

export interface FinishedRun {
  readonly record: RunRecord;
  /** Absolute. */
  readonly folder: string;
  /** What broke it, where its surroundings did. */
  readonly cause?: unknown;
}

export interface RunSuiteOptions extends Omit<ExecuteOptions, 'folder'> {
  /** Absolute; must be new or empty. */
  readonly folder: string;
  readonly suite: Suite;
  readonly checks: readonly Check[];
  readonly places: Places;
}

/**
 * Carries the plan out, judges what was stored, writes the reports; also of a run that was interrupted or
 * broken.
 */
export async function runSuite({ suite, checks, places, ...options }: RunSuiteOptions): Promise<FinishedRun> {
  const folder =
    options.resumes === undefined ? await createRunFolder(options.folder) : openRunFolder(options.folder);
  const execution = await execute({ ...options, folder });
  await writeMetrics(folder);
  const stored = await readStoredRun(folder.path);
  const record = recordOf(stored, checks, brokenCode(execution));
  await writeReports(folder, record);
  const night = nightReport(stored);
  if (night !== undefined) await folder.write('NIGHT.json', night);
  const { report } = suite.artifacts;
  if (report !== undefined && stored.plan.driver?.kind === 'limits')
    await folder.write(report, limitReport(stored, stored.plan.driver));
  await publish({ folder, record, suite, places });
  return {
    record,
    folder: folder.path,
    ...(execution.ending === 'broken' && { cause: execution.cause }),
  };
}

function brokenCode(execution: Execution): number {
  if (execution.ending !== 'broken') return EXIT.failed;
  return execution.cause instanceof OperatorError ? execution.cause.exitCode : EXIT.failed;
}
