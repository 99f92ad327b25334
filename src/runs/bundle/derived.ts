/** The reports in the folder of a run, as they follow from what else is there. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatorError } from '../../errors.ts';
import type { ReportedRun } from '../report/page/report-page.ts';
import { selftestReportsOf } from '../report/selftest-reports.ts';
import { reportsOf } from '../report/write-reports.ts';
import { type SelftestResult, selftestSchema } from '../selftest-record.ts';

const MATRIX = 'selftest.json';
const MATRIX_PAGE = 'selftest.html';

/** `there`: what the folder holds; of the rest a run has none. Throws USAGE where what they follow from is damaged. */
export async function derivedReports(
  folder: string,
  run: ReportedRun,
  there: readonly string[],
): Promise<(readonly [name: string, text: string])[]> {
  const matrix = there.includes(MATRIX) ? await matrixIn(folder) : null;
  if (matrix === null && there.includes(MATRIX_PAGE))
    throw damaged(`${MATRIX} is not there, and ${MATRIX_PAGE} is made from it`);
  const reports = matrix === null ? reportsOf(run) : selftestReportsOf(run, matrix);
  return reports.filter(([name]) => there.includes(name));
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
