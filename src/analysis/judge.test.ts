import { describe, expect, it } from 'vitest';
import type { Check, Finding } from './check.ts';
import { CHECKS } from './checks/index.ts';
import { judgeAll } from './judge.ts';
import { greenRun, NOT_IN_EVERY_RUN } from './testing/green-run.ts';

const checkThat = (finding: Finding, least = 2): Check => ({
  id: 'X-01',
  title: 'x',
  least,
  judge: () => finding,
});
const violation = { what: 'wrong', pointers: [] };

describe('judgeAll', () => {
  it('passes every check on a run where everything is right, but for those of what did not happen in it', () => {
    const red = judgeAll(CHECKS, greenRun()).filter(({ outcome }) => outcome !== 'pass');
    expect(red.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(
      NOT_IN_EVERY_RUN.map((id) => `${id} skipped`),
    );
  });

  it('passes no check on a run that left nothing', () => {
    const nothing = greenRun((evidence) => {
      Object.assign(evidence, { probes: [], client: [], upstream: [], canaries: [], artifacts: [] });
      evidence.usage.events = [];
      evidence.elsewhere = [];
      evidence.lives = [];
      evidence.store = { kind: 'read', rows: [] };
    });
    const outcomes = Object.fromEntries(judgeAll(CHECKS, nothing).map(({ id, outcome }) => [id, outcome]));
    const { 'ABORT-01': abort, 'LIMIT-01': limit, 'TIMEOUT-01': timeout, ...others } = outcomes;
    expect([abort, limit, timeout]).toEqual(['skipped', 'skipped', 'skipped']);
    const [killsAndNights, rest] = [true, false].map((are) =>
      Object.entries(others).filter(([id]) => /^(PERSIST|NIGHT)/.test(id) === are),
    );
    expect(new Set(killsAndNights?.map(([, outcome]) => outcome))).toEqual(new Set(['skipped']));
    expect(new Set(rest?.map(([, outcome]) => outcome))).toEqual(new Set(['inconclusive']));
  });

  it('calls a clean finding on too little evidence inconclusive, and says how little', () => {
    const [verdict] = judgeAll([checkThat({ observed: 1, violations: [] })], greenRun());
    expect(verdict).toMatchObject({
      outcome: 'inconclusive',
      note: 'needs at least 2 observations, saw 1',
    });
  });

  it('fails on a violation however little was seen', () => {
    const [verdict] = judgeAll([checkThat({ observed: 0, violations: [violation] })], greenRun());
    expect(verdict?.outcome).toBe('fail');
  });

  it('skips with the reason of the check', () => {
    const [verdict] = judgeAll(
      [checkThat({ observed: 0, violations: [], skipped: 'no such probe' })],
      greenRun(),
    );
    expect(verdict).toMatchObject({ outcome: 'skipped', note: 'no such probe' });
  });

  it('calls a check that breaks down invalid and judges the others', () => {
    const broken: Check = {
      ...checkThat({ observed: 0, violations: [] }),
      judge: () => {
        throw new Error('odd evidence');
      },
    };
    const verdicts = judgeAll([broken, checkThat({ observed: 2, violations: [] })], greenRun());
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['invalid', 'pass']);
  });

  it('refuses to judge by no check at all', () => {
    expect(() => judgeAll([], greenRun())).toThrow(RangeError);
  });
});

it('gives every check an id of its own and a least of at least one', () => {
  expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length);
  expect(CHECKS.filter(({ least }) => least < 1)).toEqual([]);
});
