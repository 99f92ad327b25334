import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { RunRecord } from '../run-record.ts';
import { isFiled, signOff } from './sign-off.ts';

it('files each check under an area on purpose', () => {
  expect(['RUN-01', ...CHECKS.map(({ id }) => id)].filter((id) => !isFiled(id))).toEqual([]);
});

type Outcomes = Readonly<Record<string, RunRecord['checks'][number]['outcome']>>;

/** As much of a record as an area is filled from. */
const recordOf = (outcomes: Outcomes): Pick<RunRecord, 'suite' | 'checks'> => {
  const checks = Object.entries(outcomes).map(([id, outcome]) => ({
    id,
    title: '',
    outcome,
    observed: 1,
    violations: [],
  }));
  return { suite: 's', checks };
};

it('passes an area whose checks all passed, whatever was skipped', () => {
  expect(signOff([recordOf({ 'ROUTE-01': 'pass', 'LANES-01': 'skipped' })])[0]).toEqual({
    area: 'Routing',
    verdict: 'pass',
    passed: 1,
    failed: [],
    unjudged: [],
  });
});

it('fails an area for one check, and names it', () => {
  expect(
    signOff([recordOf({ 'BYTES-01': 'pass', 'HYGIENE-01': 'fail', 'BYTES-02': 'invalid' })])[1],
  ).toMatchObject({
    verdict: 'fail',
    failed: ['s/HYGIENE-01'],
    unjudged: ['s/BYTES-02'],
  });
});

it('leaves an area open that was not judged, in part or at all', () => {
  const [, , observability, stability] = signOff([
    recordOf({ 'LOG-01': 'pass', 'STORE-01': 'inconclusive' }),
  ]);
  expect([observability?.verdict, stability?.verdict]).toEqual(['open', 'open']);
});
