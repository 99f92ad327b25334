/** The self-test's own check: what its saboteurs came to weighs on its record like any other verdict. */
import type { Verdict } from '../../analysis/check.ts';
import { countsOf, fateOf, isAlive, repeatLine, whyOf } from '../report/selftest-markdown.ts';
import type { SelftestResult } from './selftest-record.ts';
import { isProof } from './selftest-verdicts.ts';
import { MATRIX } from './stored-matrix.ts';

/** Who reads the record of the run that nobody broke, and nothing else of a self-test, must not find it green. */
export const WHOLE_SELFTEST = {
  id: 'SELFTEST-01',
  title: 'Every saboteur that was tried was noticed by each check that must notice it',
} as const;

/** A self-test that tried nobody has proven nothing: it fails. One that was interrupted is inconclusive, unless one survived. */
export function judgeSelftest(matrix: SelftestResult): Verdict {
  const { control, saboteurs, interrupted } = matrix;
  const tried = saboteurs.filter(({ skipped, untried }) => skipped === undefined && untried === undefined);
  const violations = [
    ...saboteurs.filter(isAlive).map((one) => ({
      what: `${one.name}, in ${one.suite}, ${WORDS[fateOf(one)]}: ${one.breaks}. ${whyOf(one)}`,
      pointers: [MATRIX, repeatLine(one, matrix)],
    })),
    ...control.map(({ suite, id, what }) => ({
      what: `the control run of ${suite}, which nobody broke, was red: ${id}: ${what.join('; ')}`,
      pointers: [MATRIX],
    })),
    ...(tried.length === 0 && interrupted === undefined
      ? [{ what: 'no saboteur was tried', pointers: [MATRIX] }]
      : []),
  ];
  return {
    ...WHOLE_SELFTEST,
    outcome: outcomeOf(matrix, violations.length),
    observed: tried.length,
    violations,
    note: countsOf(matrix),
  };
}

const WORDS = {
  killed: 'was killed',
  SURVIVED: 'survived',
  BROKE: 'broke the run for another reason',
  UNTRIED: 'was not tried',
  skipped: 'was skipped',
} as const satisfies Record<ReturnType<typeof fateOf>, string>;

function outcomeOf(matrix: SelftestResult, violations: number): Verdict['outcome'] {
  if (violations > 0) return 'fail';
  if (matrix.interrupted !== undefined) return 'inconclusive';
  return isProof(matrix) ? 'pass' : 'fail';
}
