/** What a self-test adds to the reports of its control run. */
import type { SelftestResult } from '../selftest/selftest-record.ts';
import { type ReportedRun, selftestHtml } from './page/report-page.ts';
import { selftestMarkdown } from './selftest-markdown.ts';
import { summaryMarkdown } from './summary-markdown.ts';
import { reportsOf } from './write-reports.ts';

/** All reports of the control run, each file whole, with the matrix in them. Pure: the same run, the same bytes. */
export const selftestReportsOf = (
  run: ReportedRun,
  result: SelftestResult,
): (readonly [name: string, text: string])[] => [
  ...reportsOf({ ...run, matrix: result }).filter(([name]) => name !== SUMMARY),
  [SUMMARY, `${selftestMarkdown(result)}\n${summaryMarkdown(run.record)}`],
  [MATRIX_PAGE, selftestHtml(result)],
];

/** It shows the matrix and nothing else. */
export const MATRIX_PAGE = 'selftest.html';

const SUMMARY = 'SUMMARY.md';
