/** What lies in the folder of a run and follows from what else is there. */
import { SABOTEURS } from '../../harness/saboteurs/saboteurs.ts';
import { limitReport } from '../report/limit-report.ts';
import { nightReport } from '../report/night-report.ts';
import type { ReportedRun } from '../report/page/report-page.ts';
import { isAlive } from '../report/selftest-markdown.ts';
import { MATRIX_PAGE, selftestReportsOf } from '../report/selftest-reports.ts';
import { reportsOf } from '../report/write-reports.ts';
import { WHOLE_SELFTEST } from '../selftest/judge-selftest.ts';
import type { SelftestResult } from '../selftest/selftest-record.ts';
import {
  contradictionIn,
  countSaboteurs,
  isRed,
  type SaboteurCounts,
  untriedIn,
} from '../selftest/selftest-verdicts.ts';
import { MATRIX } from '../selftest/stored-matrix.ts';
import { DamagedRun } from '../stored/damaged-run.ts';

export const LIMIT_REPORT = 'GLM_LIMIT_PROBE.md';

export interface Derived {
  readonly reports: readonly (readonly [name: string, text: string])[];
  /** Of a self-test. */
  readonly selftest: SelftestAccount | null;
  /** What a self-test says of itself and its own rows do not say. */
  readonly contradictions: readonly string[];
  /** What it says of its control run and that, judged now, does not say. */
  readonly untrue: readonly { readonly file: string; readonly what: string }[];
}

/** What the matrix of a self-test comes to. */
export interface SelftestAccount extends SaboteurCounts {
  readonly ok: boolean;
  readonly survivors: readonly string[];
  /** Names. */
  readonly untried: readonly string[];
}

/** `there`: what the folder holds; of the rest a run has none. Throws USAGE where what they follow from is damaged. */
export function derivedFrom(folder: string, run: ReportedRun, there: readonly string[]): Derived {
  const { matrix } = run.stored;
  if (matrix === null && there.includes(MATRIX_PAGE))
    throw new DamagedRun(folder, `${MATRIX} is not there, and ${MATRIX_PAGE} is made from it`);
  const reports = [
    ...(matrix === null ? reportsOf(run) : selftestReportsOf(run, matrix)),
    ...ownReports(run),
  ];
  return {
    reports: reports.filter(([name]) => there.includes(name)),
    selftest: matrix && accountOf(matrix),
    contradictions: matrix === null ? [] : contradictionsIn(matrix, run),
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

const accountOf = (matrix: SelftestResult): SelftestAccount => ({
  ...countSaboteurs(matrix),
  ok: matrix.ok,
  survivors: [...new Set(matrix.saboteurs.filter(isAlive).map(({ name }) => name))],
  untried: untriedIn(matrix),
});

function contradictionsIn(matrix: SelftestResult, { stored: { plan } }: ReportedRun): string[] {
  const what = contradictionIn(matrix, plan.asked?.selftest?.saboteurs ?? []);
  return what === null ? [] : [`${MATRIX}: ${what}`];
}

function untrueIn(matrix: SelftestResult, { record }: ReportedRun): Derived['untrue'] {
  const [own] = matrix.controls;
  const told = new Set(matrix.control.flatMap(({ suite, id }) => (suite === own ? [id] : [])));
  const hushed = record.checks.filter(
    (check) => isRed(check) && !told.has(check.id) && check.id !== WHOLE_SELFTEST.id,
  );
  const named = new Set([...matrix.known, ...matrix.saboteurs.map(({ name }) => name)]);
  const forgotten = SABOTEURS.filter(({ name }) => !named.has(name));
  return [
    ...hushed.map(({ id }) => `of the control run it does not tell that ${id} is red`),
    ...(forgotten.length > 0 ? [`it does not know of ${forgotten.map(({ name }) => name).join(', ')}`] : []),
  ].map((what) => ({ file: MATRIX, what }));
}
