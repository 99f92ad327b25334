/** What lies in the folder of a run and follows from what else is there. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatorError } from '../../errors.ts';
import { limitReport } from '../report/limit-report.ts';
import { nightReport } from '../report/night-report.ts';
import type { ReportedRun } from '../report/page/report-page.ts';
import { selftestReportsOf } from '../report/selftest-reports.ts';
import { reportsOf } from '../report/write-reports.ts';
import { type SelftestResult, selftestSchema } from '../selftest/selftest-record.ts';
import { contradictionIn, isRed } from '../selftest/selftest-verdicts.ts';

export const MATRIX = 'selftest.json';
const MATRIX_PAGE = 'selftest.html';
export const LIMIT_REPORT = 'GLM_LIMIT_PROBE.md';

export interface Derived {
  readonly reports: readonly (readonly [name: string, text: string])[];
  /** What a self-test says of itself and its own rows do not say. */
  readonly contradictions: readonly string[];
  /** What it says of its control run and that, judged now, does not say. */
  readonly untrue: readonly { readonly file: string; readonly what: string }[];
}

/** `there`: what the folder holds; of the rest a run has none. Throws USAGE where what they follow from is damaged. */
export async function derivedFrom(
  folder: string,
  run: ReportedRun,
  there: readonly string[],
): Promise<Derived> {
  const matrix = there.includes(MATRIX) ? await matrixIn(folder) : null;
  if (matrix === null && there.includes(MATRIX_PAGE))
    throw damaged(`${MATRIX} is not there, and ${MATRIX_PAGE} is made from it`);
  const reports = [
    ...(matrix === null ? reportsOf(run) : selftestReportsOf(run, matrix)),
    ...ownReports(run),
  ];
  return {
    reports: reports.filter(([name]) => there.includes(name)),
    contradictions: matrix === null ? [] : contradictionsIn(matrix),
    untrue: matrix === null ? [] : untrueIn(matrix, run),
  };
}

/** Those that only some kinds of run have. */
function* ownReports({ stored }: ReportedRun): Generator<readonly [name: string, text: string]> {
  const night = nightReport(stored);
  if (night !== undefined) yield ['NIGHT.json', night];
  const { driver } = stored.plan;
  if (driver?.kind === 'limits') yield [LIMIT_REPORT, limitReport(stored, driver)];
}

function contradictionsIn(matrix: SelftestResult): string[] {
  const what = contradictionIn(matrix);
  return what === null ? [] : [`${MATRIX}: ${what}`];
}

function untrueIn(matrix: SelftestResult, { record }: ReportedRun): Derived['untrue'] {
  const [own] = matrix.controls;
  const told = new Set(matrix.control.flatMap(({ suite, id }) => (suite === own ? [id] : [])));
  const hushed = record.checks.filter((check) => isRed(check) && !told.has(check.id));
  return hushed.map(({ id }) => ({
    file: MATRIX,
    what: `of the control run it does not tell that ${id} is red`,
  }));
}

async function matrixIn(folder: string): Promise<SelftestResult> {
  const text = await readFile(path.join(folder, MATRIX), 'utf8');
  try {
    return selftestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(`${MATRIX} is damaged`, error);
  }
}

const damaged = (what: string, cause?: unknown): OperatorError =>
  new OperatorError('USAGE', `the reports of a self-test cannot be made: ${what}`, {
    hint: 'Run the self-test again: ccp-uat selftest.',
    cause,
  });
