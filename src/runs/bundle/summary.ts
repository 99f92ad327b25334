/** What a bundle comes to, and what it does not hold. */
import { endingWords } from '../ending-words.ts';
import type { RunRecord } from '../run-record.ts';
import type { Suite } from '../suite.ts';
import type { Summary } from './documents.ts';
import { KEPT_RULE } from './kept-rounds.ts';
import { bundleName, SCHEMA_VERSION } from './layout.ts';
import { signOff } from './sign-off.ts';
import type { JudgedRun } from './weigh-evidence.ts';

/** A suite, as far as a bundle goes by it. */
export type KnownSuite = Pick<Suite, 'name' | 'checks'>;

/** The end of the newest run, which gives a bundle its name. Epoch milliseconds. */
export const endOf = (runs: readonly JudgedRun[]): number =>
  Math.max(...runs.map(({ record }) => Date.parse(record.startedAt) + record.ms));

export function summarize(runs: readonly JudgedRun[], suites: readonly KnownSuite[]): Summary {
  const records = runs.map(({ record }) => record);
  return {
    v: SCHEMA_VERSION,
    bundle: bundleName(endOf(runs)),
    outcome: worstOf(records),
    runs: runs.map(({ name, record }) => ({
      run: name,
      suite: record.suite,
      title: record.title,
      outcome: record.outcome,
      ending: record.ending,
      startedAt: record.startedAt,
      ms: record.ms,
      probes: record.night?.probes ?? record.probes.length,
      checks: countsOf(record),
      claims: record.claims,
    })),
    missing: missingIn(runs, suites),
    signOff: signOff(records).map((area) => ({
      ...area,
      failed: [...area.failed],
      unjudged: [...area.unjudged],
    })),
  };
}

function worstOf(records: readonly RunRecord[]): RunRecord['outcome'] {
  if (records.some(({ outcome }) => outcome === 'fail')) return 'fail';
  return records.some(({ outcome }) => outcome === 'inconclusive') ? 'inconclusive' : 'pass';
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

function missingIn(runs: readonly JudgedRun[], suites: readonly KnownSuite[]): Summary['missing'] {
  const unrun = suites.filter(({ name }) => !runs.some(({ record }) => record.suite === name));
  return [
    ...runs.flatMap((run) => missingOf(run, suites)),
    ...unrun.map(({ name }) => ({ what: `suite ${name}`, why: 'no run of it is stored' })),
  ];
}

function missingOf(
  { name, record, absent, outdated, legs }: JudgedRun,
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
    ...leftOut.map((id) => ({ what: `check ${id} of ${name}`, why: 'the run was not judged by it' })),
    ...record.checks
      .filter((check) => check.outcome === 'skipped')
      .map(({ id, note }) => ({
        what: `check ${id} of ${name}`,
        why: `skipped: ${note ?? 'no reason is told'}`,
      })),
  ];
}

/** Whatever the plan of a run says of itself: by these its suite is to be judged. */
export const expectedChecks = (suite: string, suites: readonly KnownSuite[]): readonly string[] =>
  suites.find(({ name }) => name === suite)?.checks ?? [];
