import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { RunRecord } from '../run-record.ts';
import { AREAS, areaOf, isFiled, signOff, wholeIn } from './sign-off.ts';

const ALL = ['RUN-01', 'SELFTEST-01', ...CHECKS.map(({ id }) => id)];

it('files each check under an area on purpose', () => {
  expect(ALL.filter((id) => !isFiled(id))).toEqual([]);
});

it('is documented as it is filed', async () => {
  const text = await readFile(new URL('../../../docs/bundle.md', import.meta.url), 'utf8');
  const groups = [...new Set(ALL.map((id) => id.replace(/-\d+$/, '')))];
  for (const area of AREAS) {
    const row = text.split('\n').find((line) => line.startsWith(`| ${area} |`)) ?? '';
    const told = [...row.matchAll(/`([A-Z]+)`/g)].map(([, group]) => group);
    expect(new Set(told)).toEqual(new Set(groups.filter((group) => areaOf(`${group}-01`) === area)));
  }
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

it('passes an area whose checks all passed, and were each judged somewhere', () => {
  const records = [recordOf({ 'ROUTE-01': 'pass', 'LANES-01': 'skipped' }), recordOf({ 'LANES-01': 'pass' })];
  expect(signOff(records, [{ name: 's', checks: ['ROUTE-01', 'LANES-01'] }])[0]).toEqual({
    area: 'Routing',
    verdict: 'pass',
    passed: 2,
    failed: [],
    unjudged: [],
  });
});

it('leaves an area open for what every run skipped, and for what a suite has that was not run', () => {
  const suites = [{ name: 'quota', checks: ['QUOTA-01', 'LOG-01'] }];
  expect(signOff([recordOf({ 'ROUTE-01': 'pass', 'LANES-01': 'skipped' })], suites)[0]).toEqual({
    area: 'Routing',
    verdict: 'open',
    passed: 1,
    failed: [],
    unjudged: ['QUOTA-01', 'LANES-01'],
  });
});

it('fails an area for one check, and names it', () => {
  expect(
    signOff([recordOf({ 'BYTES-01': 'pass', 'HYGIENE-01': 'fail', 'BYTES-02': 'invalid' })], [])[1],
  ).toMatchObject({
    verdict: 'fail',
    failed: ['s/HYGIENE-01'],
    unjudged: ['s/BYTES-02'],
  });
});

it('leaves an area open that was not judged, in part or at all', () => {
  const [, , observability, stability] = signOff(
    [recordOf({ 'LOG-01': 'pass', 'STORE-01': 'inconclusive' })],
    [],
  );
  expect([observability?.verdict, stability?.verdict]).toEqual(['open', 'open']);
});

it('says of the whole that only what was run passed where areas are open, and which', () => {
  const [routing, safety] = [
    { area: 'Routing', verdict: 'pass' },
    { area: 'Safety', verdict: 'open' },
  ] as const;
  expect(wholeIn({ outcome: 'pass', signOff: [routing] })).toBe('pass');
  expect(wholeIn({ outcome: 'pass', signOff: [routing, safety] })).toBe(
    'pass of what was run, 1 of 2 areas open: Safety',
  );
  expect(wholeIn({ outcome: 'inconclusive', signOff: [safety] })).toBe('inconclusive');
});
