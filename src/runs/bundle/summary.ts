/** What a bundle comes to, and what it does not hold. */
import { plural } from '../../analysis/plural.ts';
import { endingWords } from '../ending-words.ts';
import type { RunRecord } from '../run-record.ts';
import type { SaboteurCounts } from '../selftest/selftest-verdicts.ts';
import type { SelftestAccount } from './derived.ts';
import type { Damaged, Summary } from './documents.ts';
import { KEPT_RULE } from './kept-rounds.ts';
import { bundleName, SCHEMA_VERSION } from './layout.ts';
import { type KnownSuite, signOff } from './sign-off.ts';
import type { JudgedRun } from './weigh-evidence.ts';

/** The end of the newest run, which gives a bundle its name. Epoch milliseconds. */
export const endOf = (runs: readonly JudgedRun[]): number =>
  Math.max(...runs.map(({ record }) => Date.parse(record.startedAt) + record.ms));

/** Nobody can say what a damaged run was, so a bundle without it is no pass. */
export function summarize(
  runs: readonly JudgedRun[],
  suites: readonly KnownSuite[],
  damaged: readonly Damaged[],
): Summary {
  const records = runs.map(({ record }) => record);
  return {
    v: SCHEMA_VERSION,
    bundle: bundleName(endOf(runs)),
    outcome: worstOf([
      ...records.map(({ outcome }) => outcome),
      ...damaged.map(() => 'inconclusive' as const),
    ]),
    runs: runs.map(({ name, record, selftest }) => ({
      run: name,
      suite: record.suite,
      title: record.title,
      outcome: record.outcome,
      ending: record.ending,
      startedAt: record.startedAt,
      ms: record.ms,
      probes: record.night?.probes ?? record.probes.length,
      ...(selftest !== null && { saboteurs: countedIn(selftest) }),
      checks: countsOf(record),
      claims: record.claims,
    })),
    missing: missingIn(runs, suites, damaged),
    signOff: signOff(records, suites).map((area) => ({
      ...area,
      failed: [...area.failed],
      unjudged: [...area.unjudged],
    })),
  };
}

const countedIn = ({ known, tried, killed }: SaboteurCounts): SaboteurCounts => ({ known, tried, killed });

function worstOf(outcomes: readonly RunRecord['outcome'][]): RunRecord['outcome'] {
  if (outcomes.includes('fail')) return 'fail';
  return outcomes.includes('inconclusive') ? 'inconclusive' : 'pass';
}

function countsOf({ checks }: RunRecord): Record<string, number> {
  const count = (wanted: string): number => checks.filter(({ outcome }) => outcome === wanted).length;
  return {
    pass: count('pass'),
    fail: count('fail'),
    inconclusive: count('inconclusive'),
    invalid: count('invalid'),
    skipped: count('skipped'),
  };
}

function missingIn(
  runs: readonly JudgedRun[],
  suites: readonly KnownSuite[],
  damaged: readonly Damaged[],
): Summary['missing'] {
  const ran = new Set([...runs.map(({ record }) => record.suite), ...damaged.map(({ suite }) => suite)]);
  const unrun = suites.filter(({ name }) => !ran.has(name));
  return [
    ...damaged.map(({ run, suite, why }) => ({
      what: `all of ${run}, the newest run of ${suite}`,
      why: `it can't be judged: ${why}`,
    })),
    ...runs.flatMap((run) => missingOf(run, suites)),
    ...unrun.map(({ name }) => ({ what: `suite ${name}`, why: 'no run of it is stored' })),
  ];
}

function missingOf(
  { name, record, selftest, absent, outdated, legs }: JudgedRun,
  suites: readonly KnownSuite[],
): Summary['missing'] {
  const { ending, endingNote, plan, suite } = record;
  const leftOut = expectedChecks(suite, suites).filter(
    (id) => !record.checks.some((check) => check.id === id),
  );
  return [
    ...(ending === 'complete'
      ? []
      : [
          {
            what: `the end of ${name}`,
            why: `the run ${endingWords(ending)}: ${endingNote ?? 'no more is known'}`,
          },
        ]),
    ...absent.map((file) => ({ what: `evidence/${name}/${file}`, why: 'the run did not write it' })),
    ...outdated.map(({ file, what }) => ({
      what: `evidence/${name}/${file}, as judged by these checks`,
      why: `other programs wrote it: ${what}`,
    })),
    ...legs
      .filter((leg) => leg.record === null)
      .map(({ place }) => ({ what: `evidence/${name}/${place}`, why: `a red round: ${KEPT_RULE}` })),
    ...plan.skippedProbes.map(({ id, reason }) => ({ what: `probe ${id} of ${name}`, why: reason })),
    ...untriedOf(name, selftest),
    ...leftOut.map((id) => ({ what: `check ${id} of ${name}`, why: 'the run was not judged by it' })),
    ...skippedIn(record.checks).map(([why, ids]) => ({
      what: `${ids.length === 1 ? 'check' : 'checks'} ${ids.join(', ')} of ${name}`,
      why: `skipped: ${why}`,
    })),
  ];
}

/** What one reason keeps from being judged is one thing to know. */
const skippedIn = (checks: RunRecord['checks']): [why: string, ids: string[]][] =>
  [
    ...Map.groupBy(
      checks.filter(({ outcome }) => outcome === 'skipped'),
      ({ note }) => note ?? 'no reason is told',
    ),
  ].map(([why, group]) => [why, group.map(({ id }) => id)]);

/** Which of them stands in the self-test's own page: they may be a hundred. */
function untriedOf(name: string, selftest: SelftestAccount | null): Summary['missing'] {
  if (selftest === null || selftest.untried.length === 0) return [];
  const { known, untried } = selftest;
  return [
    {
      what: `${untried.length} of ${plural(known, 'saboteur')} in ${name}`,
      why: 'the self-test did not try them; its selftest.html names them',
    },
  ];
}

/** Whatever the plan of a run says of itself: by these its suite is to be judged. */
export const expectedChecks = (suite: string, suites: readonly KnownSuite[]): readonly string[] =>
  suites.find(({ name }) => name === suite)?.checks ?? [];
