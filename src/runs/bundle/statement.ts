/**
 * The verdicts as an in-toto Statement v1 with the predicate `test-result` v0.1, so that tools which know neither ccp nor its
 * bundles can go by them. https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
 */
import { WHOLE_RUN } from '../../analysis/whole-run.ts';
import type { RunRecord } from '../run-record.ts';
import { WHOLE_SELFTEST } from '../selftest/judge-selftest.ts';
import { SELFTEST } from '../selftest/selftest-record.ts';
import type { Bundler } from './documents.ts';
import type { Hashed } from './inventory.ts';
import type { KnownSuite } from './sign-off.ts';
import { expectedChecks } from './summary.ts';
import type { JudgedRun } from './weigh-evidence.ts';

const RESULTS = { pass: 'PASSED', inconclusive: 'WARNED', fail: 'FAILED' } as const;

/** `files`: those of the evidence, by path. */
export function statementOf(
  runs: readonly JudgedRun[],
  {
    outcome,
    suites,
    bundler,
    files,
  }: {
    readonly outcome: RunRecord['outcome'];
    readonly suites: readonly KnownSuite[];
    readonly bundler: Bundler;
    readonly files: ReadonlyMap<string, Hashed>;
  },
): object {
  const named = (...outcomes: readonly string[]): string[] =>
    runs.flatMap(({ record }) =>
      record.checks
        .filter((check) => outcomes.includes(check.outcome))
        .map(({ id }) => `${record.suite}/${id}`),
    );
  const survivors = runs.flatMap(({ record, selftest }) =>
    (selftest?.survivors ?? []).map((saboteur) => `${record.suite}/${saboteur}`),
  );
  const evidence = [...files].map(([name, { sha256 }]) => ({ name, digest: { sha256 } }));
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      ...(bundler.commit === null ? [] : [{ name: 'ccp', digest: { gitCommit: bundler.commit } }]),
      ...evidence.filter(({ name }) => name.endsWith('/events.jsonl')),
    ],
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate: {
      result: RESULTS[outcome],
      configuration: evidence,
      passedTests: named('pass'),
      warnedTests: named('inconclusive', 'invalid'),
      failedTests: [...named('fail'), ...survivors],
      // No part of v0.1, whose readers ignore what they do not know: a test that was left out fails nobody.
      skippedTests: named('skipped'),
      expectedTests: runs.flatMap(({ record: { suite } }) =>
        [
          WHOLE_RUN.id,
          ...(suite === SELFTEST ? [WHOLE_SELFTEST.id] : []),
          ...expectedChecks(suite, suites),
        ].map((id) => `${suite}/${id}`),
      ),
    },
  };
}
